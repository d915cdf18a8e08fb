internal import SiltReading
package import Workers
internal import Safetensors
internal import SiltFormat
package import TensorTypes
internal import Transformers

/// Measures the model that a Silt file rebuilds on its task, and compares with what the file recorded when it was packed.
package struct TaskCheck: Sendable {
    /// Threads, log, progress and cancellation.
    package var context: WorkContext

    /// A check.
    package init(_ context: WorkContext) { self.context = context }

    /// Runs the rebuilt model on `data`, and with `fineTuned` that model and the base too, where it can be run.
    ///
    /// - Returns: one measure for each that the file recorded on these data; if there is none, the task's metric.
    /// - Throws: as `ModelEvaluator.evaluate`.
    package func metrics(
        base: String, file: String, against fineTuned: String?, data: String
    ) throws(SiltError) -> [TaskCheck.Metric] {
        let digest = try ModelEvaluator.digest(of: data, context.cancellation)
        // Pages are passed on: they name files, not places.
        let name = data.split(separator: "/").last.map(String.init) ?? data
        let records = try ContainerReader(file).manifest.evaluations.filter { $0.data == digest }
        // A choice on the first examples is checked on these.
        let loaded = try ModelLoader(context).silt(file, base: base)
        let whole = try TokenData(reading: data)
        let source = try fineTuned.map { path throws(SiltError) in
            try WeightTable(reading: try Checkpoint.asResult(path))
        }
        var metrics: [TaskCheck.Metric] = []
        for record in records where record.metric != "kl" || source != nil {
            let judge = try ModelJudge(
                loaded.configuration, loaded.weights, whole.prefix(record.examples), context.pool)
            if record.metric == "kl", let source { try judge.remember(source) }
            let verdict = try judge.judge(loaded.weights)
            let measured =
                record.metric == "kl"
                ? verdict.divergence : verdict.metrics.first { $0.name == record.metric }?.value
            guard let measured else { continue }
            metrics.append(
                .init(
                    name: record.metric, use: record.use.rawValue, data: name, examples: record.examples,
                    base: record.base, fineTuned: record.fineTuned, rebuilt: measured, recorded: record.rebuilt,
                    isAsRecorded: TaskCheck.isNear(measured, record),
                    higherIsBetter: record.metric != "kl" && judge.metric?.higherIsBetter ?? true))
        }
        guard metrics.isEmpty else { return metrics }
        let judge = try ModelJudge(loaded.configuration, loaded.weights, whole, context.pool)
        guard let metric = judge.metric else {
            throw SiltError(
                .usage, "the data set has no labels to judge the model's outputs by", file: data,
                advice: "add a tensor `labels` [examples]")
        }
        return [
            .init(
                name: metric.name, use: "not recorded", data: name, examples: judge.examples,
                fineTuned: try source.map { weights throws(SiltError) in try judge.judge(weights).value },
                rebuilt: try judge.judge(loaded.weights).value, higherIsBetter: metric.higherIsBetter)
        ]
    }

    /// Has a command measure the rebuilt model; the file may have recorded nothing of the kind.
    package func metric(base: String, file: String, command: String) throws(SiltError) -> TaskCheck.Metric {
        let outcome = try ModelEvaluator(context).outcome(model: file, base: base, command: command)
        return .init(name: outcome.metric, use: "evaluator", data: command, examples: 0, rebuilt: outcome.value)
    }

    /// Whether a value is the recorded one, but for what sums in another order, on another machine, may differ by: an example
    /// that is answered otherwise, or a thousandth.
    private static func isNear(_ value: Double, _ record: EvaluationRecord) -> Bool {
        let example = record.metric == "accuracy" ? 1 / Double(record.examples) : 0
        return abs(value - record.rebuilt) <= 1e-3 * max(abs(value), abs(record.rebuilt)) + example + 1e-9
    }
}
