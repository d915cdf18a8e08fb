internal import SiltFormat
internal import SiltReading

/// The table of evaluations that `inspect` prints.
enum EvaluationTable {
    static func lines(_ evaluations: [Inspection.Evaluation]) -> [String] {
        // Rows of one metric on several data sets would look alike.
        let namesData = Set(evaluations.map(\.data)).count > 1
        var columns: [Table.Column] = [
            .init(title: "metric", isNumber: false, canShrink: true), .init(title: "use", isNumber: false),
            .init(title: "examples"), .init(title: "base"), .init(title: "fine-tuned"), .init(title: "rebuilt"),
        ]
        if namesData { columns.append(.init(title: "data", isNumber: false)) }
        var table = Table(columns)
        for it in evaluations {
            let row = [
                it.metric, it.use.rawValue, Text.grouped(it.examples), it.base.map(Text.short) ?? "-",
                Text.short(it.fineTuned), Text.short(it.rebuilt),
            ]
            table.add(row + (namesData ? [String(it.data.prefix(8))] : []))
        }
        return table.lines()
    }
}
