internal import SiltReading
package import Workers
internal import Safetensors
internal import ByteSources
package import TensorTypes
package import Transformers

/// Measures how well a model does its task: a checkpoint, or a Silt file over its base, which is rebuilt in memory.
///
/// Silt runs the model itself (encoders of the BERT family, decoders of the Llama, Qwen and GPT-2 families), or has a command do
/// it. Docs/Accuracy.md describes data sets and metrics.
package struct ModelEvaluator: Sendable {
    /// Threads, log, progress and cancellation.
    package var context: WorkContext
    /// Examples that are read at most; nil for all.
    package var examples: Int?

    /// An evaluator.
    package init(_ context: WorkContext, examples: Int? = nil) {
        self.context = context
        self.examples = examples
    }

    /// Evaluates.
    ///
    /// - Parameters:
    ///   - model: a checkpoint, or a Silt file if `base` is given.
    ///   - base: the base of the Silt file.
    ///   - data: a safetensors file of token ids, with labels unless the model is causal, or `logits` or `reference` is given.
    ///   - reference: a checkpoint of the same architecture; the mean divergence of the model's answers from its answers, in
    ///     nats, is measured too, and called `kl`.
    ///   - logits: a file to write: `logits` [examples, labels], or `loss` [examples, length - 1] of a causal model, F32.
    ///   - gradients: a file to write: the gradient of the mean loss by tensor, F32, of the tensors' names and shapes.
    ///   - replaceExisting: whether files that have these names give way.
    /// - Throws: `usage` if the data are not for the model, or the architecture is none that Silt runs, or if gradients are
    ///   wanted and the data have no labels; `cannotCreate` if the name of `logits` or `gradients` is taken.
    package func evaluate(
        model: String, base: String? = nil, data: String, against reference: String? = nil, logits: String? = nil,
        gradients: String? = nil, replaceExisting: Bool = false
    ) throws(SiltError) -> EvaluationReport {
        let clock = ContinuousClock()
        let begin = clock.now
        let outputs = [logits, gradients].compactMap { $0 }
        // Before the work, which may be long: the names must be free.
        for output in outputs { try StagedPlace.check(output, replaceExisting) }
        let loader = ModelLoader(context)
        let loaded: ModelLoader.Loaded
        if let base { loaded = try loader.silt(model, base: base) } else { loaded = try loader.checkpoint(model) }
        let other = try reference.map { (path) throws(SiltError) in try loader.checkpoint(path) }
        for output in outputs {
            try OutputGuard.check(
                output, files: [data, model, loaded.configuration.file],
                checkpoints: [loaded.checkpoint] + (other.map { [$0.checkpoint] } ?? []))
        }
        let judge = try ModelJudge(
            loaded.configuration, loaded.weights, try ModelEvaluator.read(data, examples), context.pool)
        if let other { try judge.remember(other.weights) }
        let metric = judge.metric
        var mean: MeanGradient?
        if gradients != nil {
            mean = try MeanGradient(loaded.configuration, loaded.weights, judge.data, context.pool)
        }
        let verdict: Verdict
        if let logits {
            let answers: ModelJudge.Table
            (verdict, answers) = try judge.examine(loaded.weights)
            try ModelEvaluator.write(
                answers.values, answers.shape, metric == .loss ? "loss" : "logits", to: logits,
                replacing: replaceExisting)
        } else {
            guard metric != nil || reference != nil else {
                throw SiltError(
                    .usage, "the data set has no labels to judge the model's outputs by", file: data,
                    advice:
                        "add `labels` [examples], write the outputs with \(option: .logits), or compare with \(option: .against) MODEL"
                )
            }
            verdict = try judge.judge(loaded.weights)
        }
        var measures = verdict.metrics.map { EvaluationReport.Measure(name: $0.name, value: $0.value) }
        if let divergence = verdict.divergence { measures.append(.init(name: "kl", value: divergence)) }
        if let gradients, let mean {
            try mean.write(to: gradients, replacing: replaceExisting)
            if metric != .loss { measures.append(.init(name: "loss", value: mean.loss)) }
        }
        return EvaluationReport(
            metric: metric?.name, value: metric.map { _ in verdict.value }, higherIsBetter: metric?.higherIsBetter,
            measures: measures, examples: judge.examples,
            data: try ModelEvaluator.digest(of: data, context.cancellation),
            seconds: begin.duration(to: clock.now).inSeconds)
    }

    /// Has a command evaluate a model: a checkpoint, or a Silt file that is unpacked beside itself for as long as it runs.
    ///
    /// - Parameter command: with `{model}` where the model's directory goes; its last line is a number, or JSON with one.
    /// - Throws: `usage` if the command fails or prints no number.
    package func evaluate(model: String, base: String? = nil, command: String) throws(SiltError) -> EvaluationReport {
        let clock = ContinuousClock()
        let begin = clock.now
        let outcome = try outcome(model: model, base: base, command: command)
        return EvaluationReport(
            metric: outcome.metric, value: outcome.value, higherIsBetter: nil,
            measures: [.init(name: outcome.metric, value: outcome.value)], examples: 0, data: "",
            seconds: begin.duration(to: clock.now).inSeconds)
    }

    /// What a command says of a model, as above.
    package func outcome(model: String, base: String?, command: String) throws(SiltError) -> ExternalEvaluator.Outcome {
        let evaluator = try ExternalEvaluator(command)
        guard let base else {
            // Missing models are refused here, not by whatever the command says of them.
            _ = try Checkpoint.asModel(model)
            return try evaluator.evaluate(model, context.cancellation)
        }
        try ModelLoader.checkIsFile(model)
        let place = try StagedPlace(beside: model)
        defer { withExtendedLifetime(place) {} }
        let path = place.path("model")
        _ = try Unpacker(context).unpack(base: base, file: model, to: path)
        return try evaluator.evaluate(path, context.cancellation)
    }

    /// A data set, cut to its first examples.
    package static func read(_ path: String, _ examples: Int?) throws(SiltError) -> TokenData {
        let data = try TokenData(reading: path)
        return examples.map { data.prefix($0) } ?? data
    }

    /// The SHA-256 of a file, in hexadecimal digits.
    package static func digest(of path: String, _ cancellation: Cancellation) throws(SiltError) -> String {
        try LocalFile(path).sha256 { () throws(SiltError) in try cancellation.check() }
    }

    /// Writes one F32 tensor as a safetensors file, whole or not at all.
    private static func write(
        _ values: [Float], _ shape: [Int], _ name: String, to path: String, replacing: Bool
    ) throws(SiltError) {
        guard let info = TensorInfo(dtype: .f32, shape: shape) else { return }
        try SafetensorsWriter.write([(name, info, values.littleEndianBytes)], to: path, replacing: replacing)
    }
}
