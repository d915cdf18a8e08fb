internal import SiltPacking
internal import SiltTuning

/// What `plan` says of the paper's pipeline.
enum PipelineLines {
    static func lines(_ report: PipelineReport) -> [String] {
        let steps = report.steps.enumerated().flatMap { number, step in
            ["\(number + 1). \(step.node.rawValue): \(step.question) \(step.answer)"]
                .flatMap { Text.wrapped($0, first: "", next: "   ") }
                + Text.wrapped(Flags.worded(step.words.evidence), first: "   ", next: "   ")
                + Text.wrapped("-> \(Flags.worded(step.words.leadsTo))", first: "   ", next: "      ")
        }
        var table = Table([
            .init(title: "measured", isNumber: false, canShrink: true), .init(title: "at", isNumber: false),
            .init(title: "bytes"),
            .init(title: "kl"), .init(title: report.metric ?? "metric"), .init(title: "", isNumber: false),
        ])
        for way in report.ways {
            var marks: [String] = []
            if way.choice == report.choice.choice { marks.append("led to") }
            if way.choice == report.best.choice { marks.append("best") }
            table.add([
                way.name, knob(way.choice?.lossy), Text.grouped(way.bytes), Text.short(way.divergence),
                way.metric.map { Text.decimal($0, 4) } ?? "-", marks.joined(separator: ", "),
            ])
        }
        let metric = report.metric.map { name in
            ", \(name) \(report.fineTunedMetric.map { Text.decimal($0, 4) } ?? "-") fine-tuned, "
                + "\(report.metricWithoutDelta.map { Text.decimal($0, 4) } ?? "-") without the delta"
        }
        let note =
            "\(Text.grouped(report.examples)) examples; without the delta kl \(Text.short(report.divergenceWithoutDelta))"
            + (metric ?? "")
        return ["The pipeline of the DAREx paper"] + steps + [""] + table.lines() + [""]
            + Text.wrapped(note, first: "", next: "  ")
    }

    /// The drop rate or the quality, of methods that have one.
    private static func knob(_ lossy: LossyOptions?) -> String {
        guard let lossy else { return "" }
        if lossy.sparse.drops { return "p \(lossy.drop)" }
        return lossy.method == .transform ? "quality \(lossy.quality)" : ""
    }
}
