internal import SiltEvaluation
internal import TensorTypes

/// The table of metrics that `verify --eval` prints.
enum MetricTable {
    static func lines(_ metrics: [TaskCheck.Metric]) -> [String] {
        guard !metrics.isEmpty else { return [] }
        var table = Table([
            .init(title: "metric", isNumber: false, canShrink: true), .init(title: "use", isNumber: false),
            .init(title: "examples"), .init(title: "fine-tuned"), .init(title: "recorded"), .init(title: "rebuilt"),
            .init(title: "as recorded", isNumber: false),
        ])
        for it in metrics {
            table.add([
                it.name, it.use, it.examples > 0 ? Text.grouped(it.examples) : "-",
                it.fineTuned.map(Text.short) ?? "-", it.recorded.map(Text.short) ?? "-", Text.short(it.rebuilt),
                it.isAsRecorded.map { $0 ? "yes" : "NO" } ?? "-",
            ])
        }
        return [""] + table.lines()
    }
}

extension JSONValue {
    /// The members of an object; none of anything else.
    var members: [Member] {
        if case .object(let members) = self { members } else { [] }
    }
}
