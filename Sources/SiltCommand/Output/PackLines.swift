internal import SiltPacking
internal import SiltTuning

/// What `pack` and `squash` print.
enum PackLines {
    static func lines(_ report: PackReport, _ output: String) -> [String] {
        let size = "\(Text.grouped(report.fineTunedBytes)) -> \(Text.grouped(report.bytes)) bytes"
        let bits = "\(Text.decimal(report.bitsPerParameter, 3)) bits per parameter"
        var lines = EncodingTable.lines(report.encodings, total: report.bytes)
        lines += [
            "", "\(size): \(Text.decimal(report.ratio, 2)) x smaller, \(bits), \(Text.decimal(report.seconds, 2)) s",
        ]
        if !report.packing.isEmpty {
            lines += Text.wrapped(report.packing.map { "\($0.name) \($0.value)" }.joined(separator: ", "))
        }
        if let receipt = report.receipt { lines.append(Text.receipt(receipt)) }
        if !report.evaluations.isEmpty { lines += EvaluationTable.lines(report.evaluations) }
        lines.append("wrote \(output) (contract: \(report.contract))")
        return lines
    }

    /// A candidate that was tried.
    static func line(of trial: Trial) -> String {
        let mark = trial.passes ? "+" : "-"
        let divergence = trial.divergence.map { ", kl \(Text.short($0))" } ?? ""
        let metric = trial.metric.map { ", metric \(Text.decimal($0, 4))" } ?? ""
        return "\(mark) \(Text.grouped(trial.bytes)) bytes\(divergence)\(metric): \(Flags.text(trial.choice))"
    }
}
