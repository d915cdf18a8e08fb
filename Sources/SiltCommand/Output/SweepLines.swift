internal import SiltTuning

/// Rows of a sweep, as people read them.
enum SweepLines {
    /// A row that was measured.
    static func line(of row: SweepReport.Row) -> String {
        "\(Text.grouped(Int(row.bytes.mean))) bytes, metric \(Text.decimal(row.metric.mean, 4)), "
            + "kl \(Text.short(row.divergence.mean)): \(options(row.choice))"
    }

    /// How `silt pack` is told to make a row; DATA stands for the calibration data.
    static func options(_ choice: PackingChoice) -> String {
        Flags.text(choice, calibration: "DATA", validation: "DATA")
    }
}
