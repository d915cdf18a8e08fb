internal import SiltTraining
internal import TensorTypes

/// What `finetune` prints.
enum TrainingLines {
    static func lines(_ report: FineTuneReport, _ output: String) -> [String] {
        var table = Table([
            .init(title: "step"), .init(title: "training loss"), .init(title: report.metric),
            .init(title: "", isNumber: false),
        ])
        for it in report.history {
            table.add([
                Text.grouped(it.step), Text.decimal(it.loss, 4), Text.decimal(it.value, 4),
                it.step == report.step ? "kept" : "",
            ])
        }
        let new = report.newParameters > 0 ? ", \(Text.grouped(report.newParameters)) of them new" : ""
        let pace =
            report.stepsOfRun > 0
            ? ", \(Text.decimal(1_000 * report.stepSeconds / Double(report.stepsOfRun), 1)) ms per step" : ""
        return table.lines() + [
            "",
            "\(Text.grouped(report.parameters)) values\(new), \(Text.short(report.distance)) from the base (root mean square)",
            "\(Text.grouped(report.steps)) steps, \(Text.decimal(report.seconds, 1)) s"
                + pace,
            "wrote \(output) (\(report.metric) \(Text.decimal(report.value, 4)) on \(Text.grouped(report.validationExamples)) "
                + "examples)",
        ]
    }

    /// What happened, in a line.
    static func line(of event: FineTuneEvent) -> String {
        switch event {
        case .step(let step, let total, let loss, let rate):
            "step \(step) of \(total)  loss \(Text.decimal(loss, 4))  lr \(Text.short(rate))"
        case .validation(let checkpoint, let total, let metric, let isBest):
            "step \(checkpoint.step) of \(total)  loss \(Text.decimal(checkpoint.loss, 4))  "
                + "\(metric) \(Text.decimal(checkpoint.value, 4))\(isBest ? "  best so far" : "")"
        }
    }
}
