internal import SiltEvaluation

/// How good the models are.
extension VerifyPage {
    /// A comparison of base, fine-tuned and rebuilt model for each metric.
    static func metrics(_ report: FileReport) -> Markup {
        guard !report.metrics.isEmpty else { return "" }
        return Markup(report.metrics.map { metric -> Markup in Page.section(title(metric), content(metric)) })
    }

    private static func content(_ metric: TaskCheck.Metric) -> [Markup] {
        func row(_ name: String, _ value: Double?, _ fill: Bars.Fill, _ colour: Int) -> Bars.Row? {
            guard let value else { return nil }
            return Bars.Row(
                name: "\(name)", pieces: [.init(value: max(0, value), fill: fill, colour: colour)],
                cells: [Figures.short(value), difference(value, metric)])
        }
        let bars = Bars(
            caption:
                "\(metric.name) on \(metric.data) (\(metric.use), \(Figures.counted(metric.examples, "example"))); "
                + "\(metric.higherIsBetter ? "more" : "less") is better. Bars begin at 0.",
            title: "model", barTitle: metric.name, columns: [(metric.name, false), ("against fine-tuned", true)],
            rows: [
                row("base", metric.base, .empty, 5), row("fine-tuned", metric.fineTuned, .hatched, 0),
                row("rebuilt from the Silt file", metric.rebuilt, .solid, 1),
            ].compactMap { $0 })
        return [status(metric), bars.markup]
    }

    private static func difference(_ value: Double, _ metric: TaskCheck.Metric) -> String {
        guard let fineTuned = metric.fineTuned else { return "" }
        let difference = value - fineTuned
        return difference == 0 ? "same" : "\(difference > 0 ? "+" : "")\(Figures.short(difference, digits: 3))"
    }

    private static func status(_ metric: TaskCheck.Metric) -> Markup {
        guard let isAsRecorded = metric.isAsRecorded else {
            return "<p class=\"note\">The file records no \(metric.name) to compare with.</p>"
        }
        let recorded =
            metric.recorded.map { "the file’s receipt says \(Figures.short($0))" } ?? "as in the file’s receipt"
        return Page.status(
            isAsRecorded,
            isAsRecorded
                ? "As recorded: \(recorded)"
                : "Not as recorded: \(recorded), measured is \(Figures.short(metric.rebuilt))")
    }

    /// What share of the fine-tuning's gain is left, as a sentence.
    private static func title(_ metric: TaskCheck.Metric) -> String {
        guard let fineTuned = metric.fineTuned else { return "\(metric.name) is \(Figures.short(metric.rebuilt))" }
        let gain = metric.base.map { (metric.higherIsBetter ? 1 : -1) * (fineTuned - $0) } ?? 0
        let values = "\(Figures.short(metric.rebuilt)) against \(Figures.short(fineTuned)) when fine-tuned"
        guard let base = metric.base, gain > 0 else { return "\(metric.name): \(values)" }
        let kept = (metric.higherIsBetter ? 1 : -1) * (metric.rebuilt - base) / gain
        guard kept.isFinite, kept >= 0 else { return "\(metric.name) is worse than the base’s: \(values)" }
        if kept > 1 { return "\(metric.name): \(values), more than fine-tuning gave" }
        return "\(Figures.percent(kept)) of what fine-tuning gained in \(metric.name) is kept: \(values)"
    }
}
