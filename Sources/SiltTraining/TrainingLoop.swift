internal import SiltReading
internal import SiltEvaluation
internal import Workers
internal import TensorTypes
internal import Transformers

/// Steps and validations from wherever the record stands to the end.
///
/// One thread drives it; passes run on the pool's.
final class TrainingLoop {
    let parameters: [TrainedParameter]
    private(set) var record = TrainingRecord()
    /// The parameters of the best validation; nil before the first.
    private(set) var best: [FloatTensor]?
    /// Seconds in the steps of this run, and how many these were.
    private(set) var time = (seconds: 0.0, steps: 0)

    let totalSteps: Int
    private let options: FineTuneOptions
    private let model: TransformerModel
    private let weights: WeightTable
    private let gradients: BatchGradient
    private let optimizer: OptimizerPass
    private let schedule: LearningRateSchedule
    private let order: ExampleOrder
    private let judge: ModelJudge
    let metric: TaskMetric
    private let cancellation: Cancellation
    private let events: WorkContext.EventHandler?

    /// - Throws: `usage` if the data are not for the model.
    init(
        _ trained: TrainingModel, train: TokenData, validation: TokenData, _ options: FineTuneOptions,
        _ context: WorkContext
    ) throws(SiltError) {
        self.options = options
        var weights = WeightTable()
        var parameters: [TrainedParameter] = []
        for name in trained.names {
            guard let start = trained.weights[name] else { continue }
            let parameter = TrainedParameter(name: name, start: start, isNew: trained.new.contains(name))
            parameters.append(parameter)
            weights[name] = parameter.values.tensor
        }
        (self.weights, self.parameters) = (weights, parameters)
        model = try TransformerModel(trained.configuration, weights)
        try train.check(for: model)
        judge = try ModelJudge(trained.configuration, weights, validation, context.pool)
        guard let metric = judge.metric else {
            throw SiltError(.usage, "the validation data have no labels", file: validation.file)
        }
        self.metric = metric
        gradients = try BatchGradient(
            model, weights, parameters, train, groups: options.groups, context.pool)
        optimizer = OptimizerPass(
            Optimizer(options.rule, parameters), clip: options.clip, threads: context.threads)
        let epoch = (train.count + options.batch - 1) / options.batch
        totalSteps = options.epochs * epoch
        schedule = LearningRateSchedule(steps: totalSteps, warmUpShare: options.warmUp)
        order = ExampleOrder(count: train.count, seed: options.seed)
        (cancellation, events) = (context.cancellation, context.events)
    }

    /// Goes on from a state.
    func resume(_ state: TrainingState) throws(SiltError) {
        (record, best) = try state.read(into: parameters)
        guard record.steps <= totalSteps else {
            throw SiltError(
                .header, "the state has \(record.steps) steps, but the training only \(totalSteps)", file: state.path)
        }
    }

    /// Trains to the end, or until somebody wants to stop.
    ///
    /// - Parameter save: called after each validation.
    /// - Returns: whether it came to the end.
    /// - Throws: `diverged`, and what `save` throws.
    func run(save: (TrainingLoop) throws(SiltError) -> Void) throws(SiltError) -> Bool {
        let epoch = totalSteps / options.epochs
        let interval = options.validateEvery ?? epoch
        var examples = (epoch: -1, order: [Int]())
        do throws(SiltError) {
            while record.steps < totalSteps || isValidationDue(interval) {
                if isValidationDue(interval) {
                    try validate()
                    try save(self)
                    continue
                }
                let place = record.steps % epoch
                if examples.epoch != record.steps / epoch {
                    examples = (record.steps / epoch, order.examples(epoch: record.steps / epoch))
                }
                let range = place * options.batch..<min(order.count, (place + 1) * options.batch)
                try step(Array(examples.order[range]))
            }
        } catch {
            guard error.code == .interrupted else { throw error }
            return false
        }
        return true
    }

    /// Whether the model as it is now is still to be validated.
    private func isValidationDue(_ interval: Int) -> Bool {
        record.steps > 0 && (record.steps % interval == 0 || record.steps == totalSteps)
            && record.history.last?.step != record.steps
    }

    private func step(_ examples: [Int]) throws(SiltError) {
        let clock = ContinuousClock()
        let begin = clock.now
        let number = record.steps + 1
        let factor = schedule.factor(number)
        let (loss, found) = try gradient(examples, number)
        guard loss.isFinite else { throw diverged("the loss is \(loss)", number) }
        try cancellation.check()
        let norm = try optimizer.run(number, found, rate: options.rate * factor, newRate: options.newRate * factor)
        guard norm.isFinite else { throw diverged("the gradient is not finite; the loss is \(loss)", number) }
        record.steps = number
        if record.add(loss) {
            throw diverged("the loss is \(loss); it started at \(record.firstLoss)", number)
        }
        time = (time.seconds + begin.duration(to: clock.now).inSeconds, time.steps + 1)
        events?(FineTuneEvent.step(number, of: totalSteps, loss: loss, rate: options.rate * factor))
    }

    private func gradient(_ examples: [Int], _ number: Int) throws(SiltError) -> (loss: Double, gradients: Gradients) {
        do throws(SiltError) {
            return try gradients.run(examples)
        } catch {
            // Data and shapes were checked before: all that is left to be wrong are values.
            guard error.code == .usage else { throw error }
            let last = record.recent.last.map { "; the last loss was \($0)" } ?? ""
            throw diverged(error.message + last, number)
        }
    }

    private func validate() throws(SiltError) {
        let value: Double
        do throws(SiltError) {
            value = try judge.judge(weights).value
        } catch {
            guard error.code == .usage else { throw error }
            throw diverged(error.message, record.steps)
        }
        let (checkpoint, isBest) = record.add(value: value, metric)
        if isBest { best = parameters.map { TrainedValues($0.values.tensor).tensor } }
        events?(FineTuneEvent.validation(checkpoint, of: totalSteps, metric: metric.name, isBest: isBest))
    }

    /// Measures a model with these weights on the validation data.
    func judge(_ weights: WeightTable) throws(SiltError) -> Double { try judge.judge(weights).value }

    private func diverged(_ message: String, _ step: Int) -> SiltError {
        SiltError(
            .diverged, "the training diverged at step \(step) of \(totalSteps): \(message)",
            advice: "try a smaller \(option: .rate) or \(option: .newRate), or a longer \(option: .warmUp)")
    }
}
