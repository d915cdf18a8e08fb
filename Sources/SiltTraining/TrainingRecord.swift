internal import Safetensors
internal import SiltEvaluation
internal import TensorTypes

/// How far a training is and what was seen on the way: the part of its state that is no tensor.
struct TrainingRecord: Sendable, Hashable {
    /// Steps that are done.
    var steps = 0
    /// Losses of the batches since the last validation, summed.
    var lossSum = 0.0
    var lossCount = 0
    /// The loss of the first batch.
    var firstLoss = 0.0
    /// Losses of the last batches.
    var recent: [Double] = []
    var history: [FineTuneReport.Checkpoint] = []
    /// Position in `history` of the best validation; nil before the first.
    var best: Int?

    /// Batches whose losses tell that a training diverges.
    private static let window = 10

    /// Takes the loss of a batch.
    ///
    /// Returns whether the training diverges: the last ten batches cost five times as much as the first one, and at least 5 nats.
    mutating func add(_ loss: Double) -> Bool {
        if recent.isEmpty { firstLoss = loss }
        recent.append(loss)
        if recent.count > TrainingRecord.window { recent.removeFirst() }
        (lossSum, lossCount) = (lossSum + loss, lossCount + 1)
        guard recent.count == TrainingRecord.window else { return false }
        return recent.reduce(0, +) / Double(recent.count) > 5 * max(firstLoss, 1)
    }

    /// Takes a validation; returns it, and whether it is the best so far.
    mutating func add(value: Double, _ metric: TaskMetric) -> (FineTuneReport.Checkpoint, isBest: Bool) {
        let checkpoint = FineTuneReport.Checkpoint(
            step: steps, loss: lossCount > 0 ? lossSum / Double(lossCount) : 0, value: value)
        (lossSum, lossCount) = (0, 0)
        let isBest = best.map { metric.score(value) > metric.score(history[$0].value) } ?? true
        if isBest { best = history.count }
        history.append(checkpoint)
        return (checkpoint, isBest)
    }

    /// As it stands in a state file.
    var json: JSONValue {
        .members([
            "steps": .integer(steps), "loss_sum": .number(lossSum), "loss_count": .integer(lossCount),
            "first_loss": .number(firstLoss), "recent": .array(recent.map { .number($0) }),
            "history": .array(
                history.map { .array([.integer($0.step), .number($0.loss), .number($0.value)]) }),
            "best": best.map { .integer($0) } ?? .null,
        ])
    }

    /// Reads what `json` wrote; nil if it is something else.
    init?(_ json: JSONValue) {
        guard case .integer(let steps)? = json["steps"], steps >= 0, case .integer(let count)? = json["loss_count"],
            let sum = json["loss_sum"]?.double,
            let first = json["first_loss"]?.double, case .array(let recent)? = json["recent"],
            case .array(let history)? = json["history"]
        else { return nil }
        (self.steps, lossSum, lossCount, firstLoss) = (steps, sum, count, first)
        self.recent = recent.compactMap(\.double)
        self.history = history.compactMap { entry in
            guard case .array(let values) = entry, values.count == 3, case .integer(let step) = values[0],
                let loss = values[1].double, let value = values[2].double
            else { return nil }
            return FineTuneReport.Checkpoint(step: step, loss: loss, value: value)
        }
        if case .integer(let best)? = json["best"] { self.best = best }
        guard self.recent.count == recent.count, self.history.count == history.count,
            best.map({ self.history.indices.contains($0) }) ?? true
        else { return nil }
    }

    /// Nothing done.
    init() {}
}
