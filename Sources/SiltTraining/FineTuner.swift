internal import SiltEvaluation
internal import SiltFormat
internal import SiltReading
package import Workers
internal import Logging
internal import Safetensors
internal import ByteSources
package import TensorTypes
internal import Transformers

/// Fine-tunes a checkpoint on the CPU, in F32: classifiers and regressors of every family that Silt runs, and causal models.
///
/// Data, options and seed decide every bit of the result on one machine, whatever the number of threads. Docs/Training.md
/// describes optimizers, schedule and files.
package struct FineTuner: Sendable {
    /// Threads, log, events and cancellation.
    package var context: WorkContext
    /// How to train.
    package let options: FineTuneOptions

    /// A trainer.
    package init(_ context: WorkContext, _ options: FineTuneOptions) {
        (self.context, self.options) = (context, options)
    }

    /// Trains and writes a directory in Hub layout, whole or not at all.
    ///
    /// Steps and validations are told as `FineTuneEvent`. If the work is cancelled, the directory holds the best model so far,
    /// and the state beside it is what `resumes` goes on from.
    ///
    /// - Parameters:
    ///   - base: a directory in Hub layout, or a safetensors file beside its config.json.
    ///   - output: the directory to write.
    /// - Throws: `usage` for options that mean nothing and data that are not for the model, `diverged` if the loss grows beyond
    ///   measure or is no number, `cannotCreate` if a name is taken, `interrupted` if the work is cancelled: then there is no
    ///   directory only if nothing was validated.
    package func train(
        base: String, to output: String
    ) throws(SiltError) -> FineTuneReport {
        try options.check()
        let clock = ContinuousClock()
        let begin = clock.now
        let checkpoint = try Checkpoint.asBase(base)
        let directory = try ModelDirectory(
            output, base: checkpoint, replacing: options.replaceExisting || options.resumes)
        let statePath = try statePath(output, [base])
        let train = try ModelEvaluator.read(options.train, options.examples)
        let validation = try ModelEvaluator.read(options.validation, options.examples)
        let (trained, digest) = try prepare(checkpoint, train)
        let loop = try TrainingLoop(trained, train: train, validation: validation, options, context)
        let state = TrainingState(
            path: statePath,
            identity: TrainingState.Identity(
                base: digest, train: try ModelEvaluator.digest(of: options.train, context.cancellation),
                validation: try ModelEvaluator.digest(of: options.validation, context.cancellation),
                options: SHA256.of(Array(options.identity.utf8))))
        if options.resumes { try loop.resume(state) }
        let isDone = try loop.run { (loop) throws(SiltError) in
            // The end follows at once.
            guard loop.record.steps < loop.totalSteps else { return }
            try state.write(loop.record, loop.parameters, best: loop.best)
        }
        if !isDone {
            try state.write(loop.record, loop.parameters, best: loop.best)
            guard loop.best != nil else {
                throw SiltError(
                    .interrupted,
                    "stopped after step \(loop.record.steps) of \(loop.totalSteps), before the first validation",
                    file: output, advice: "\(option: .resumes) continues from \(statePath)")
            }
        }
        let result = TrainingResult(loop, trained, checkpoint, options)
        let value = try result.write(to: directory, validation: validation, threads: context.threads)
        guard isDone else {
            throw SiltError(
                .interrupted,
                "stopped after step \(loop.record.steps) of \(loop.totalSteps); the output holds the best model so far",
                file: output, advice: "\(option: .resumes) continues from \(statePath)")
        }
        try OutputFile.remove(statePath)
        return report(
            loop, result, value, examples: (train.count, validation.count),
            seconds: begin.duration(to: clock.now).inSeconds)
    }

    /// Where the state is kept; its name must be free unless it is gone on from.
    private func statePath(_ output: String, _ inputs: [String]) throws(SiltError) -> String {
        var name = output
        while name.hasSuffix("/") { name.removeLast() }
        let path = options.state ?? name + ".state"
        if options.resumes {
            _ = try LocalFile(path)
        } else {
            guard options.replaceExisting || DirectoryListing.kind(of: path) == .missing else {
                throw SiltError(
                    .cannotCreate, "the state of an earlier training exists", file: path,
                    advice: "\(option: .resumes) continues from it, \(option: .replaceExisting) starts over")
            }
            // A name that cannot be written would be met after the first epoch only.
            try StagedPlace.check(path, options.replaceExisting)
            try OutputGuard.check(path, files: [options.train, options.validation] + inputs, checkpoints: [])
        }
        return path
    }

    /// The model with its head, and a digest of all of the base that matters.
    private func prepare(
        _ checkpoint: Checkpoint, _ train: TokenData
    ) throws(SiltError) -> (TrainingModel, digest: String) {
        let (json, file) = try ModelLoader.json(of: checkpoint)
        try ModelMemory.check(checkpoint.tensors.map(\.info), file: checkpoint.path)
        let weights = try WeightTable(reading: checkpoint)
        let task = try FineTuneTask.task(options, train, baseLabels: TrainingModel.labels(of: weights))
        let trained = try TrainingModel(
            base: (json, weights, file), task: task, labelNames: options.labelNames.isEmpty ? nil : options.labelNames,
            makesNewHead: options.makesNewHead, seed: options.seed)
        let values = trained.names.reduce(0) { $0 + (trained.weights[$1]?.count ?? 0) }
        // The base, the parameters, two moments, the best parameters, the gradient, and one more for each thread.
        try ModelMemory.check(
            values: (6 + context.threads) * values, "weights, moments and gradients", file: checkpoint.path,
            advice: "use fewer \(option: .threads)")
        var digests: [Digest128] = [Digest128(of: json.serialized())]
        for name in trained.names where !trained.new.contains(name) {
            guard let tensor = trained.weights[name] else { continue }
            unsafe digests.append(
                Digest128(of: UnsafeRawBufferPointer(start: tensor.start, count: 4 * tensor.count)))
        }
        if case .classification = task, trained.configuration.lacksPadding {
            context.log.notice("config.json has no pad_token_id: transformers will only take one example at a time")
        }
        return (trained, Digest128(pieces: digests).hex)
    }

    private func report(
        _ loop: TrainingLoop, _ result: TrainingResult, _ value: Double,
        examples: (train: Int, validation: Int), seconds: Double
    ) -> FineTuneReport {
        let history = loop.record.history
        let kept = options.kept == .last ? nil : loop.record.best
        return FineTuneReport(
            metric: loop.metric.name, higherIsBetter: loop.metric.higherIsBetter, value: value,
            step: kept.map { history[$0].step } ?? loop.record.steps, history: history, steps: loop.record.steps,
            examples: examples.train,
            validationExamples: examples.validation, parameters: loop.parameters.reduce(0) { $0 + $1.count },
            newParameters: loop.parameters.reduce(0) { $0 + ($1.base == nil ? $1.count : 0) },
            distance: result.distance, seconds: seconds, stepSeconds: loop.time.seconds, stepsOfRun: loop.time.steps)
    }
}
