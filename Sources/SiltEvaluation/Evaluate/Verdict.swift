internal import Transformers

/// What a model's answers to a data set say, alone and beside the fine-tuned model's.
package struct Verdict: Sendable {
    /// The metric by which the model is judged.
    package var metric: TaskMetric
    package var value: Double
    /// All metrics by name, that one among them.
    package var metrics: [(name: String, value: Double)]
    /// Mean Kullback-Leibler divergence from the reference, in nats; nil without a reference.
    ///
    /// Of regressors it is half the mean squared difference.
    package var divergence: Double?
    /// How much the last layer's output changed (the paper's objective without labels); nil where it was not asked for.
    package var change: Double?
    /// What the reference itself expects its answers' changes to cost in accuracy; nil without a reference, or classes.
    ///
    /// Where the answer changed from a to b, the reference believes that it was right with probability p(a) and is right now with
    /// p(b): the mean of p(a) - p(b) needs no labels and strays far less than counting right answers does.
    package var expectedLoss: Double?
    /// The standard error, on other data of the same kind, of `expectedLoss`, or else of the metric's distance from the
    /// reference's; 0 if not known.
    package var uncertainty = 0.0

    /// Takes `divergence` in place of a smaller one that was measured on data which the model was fitted to.
    ///
    /// What the reference expects changed answers to cost grows with the square of the change, as the divergence does.
    package mutating func expect(divergence other: Double) {
        guard let measured = divergence, measured > 0, other > measured else { return }
        divergence = other
        expectedLoss = expectedLoss.map { $0 * (other / measured) }
        uncertainty *= other / measured
    }

    /// Whether the loss against a reference with the metric `other` is within `bound`, as far as these data can tell.
    ///
    /// A search over many candidates finds those that are lucky on few examples. So classifiers must be within it by what the
    /// reference expects too, and all by a standard error; being better than the reference is such luck, and buys nothing.
    package func keeps(within bound: Double, of other: Double) -> Bool {
        let loss = max(0, metric.loss(of: value, from: other))
        let slack = 1e-12
        guard let expectedLoss else { return loss + uncertainty <= bound + slack }
        return loss <= bound + slack && expectedLoss + uncertainty <= bound + slack
    }
}

/// A metric, and which way is better.
package struct TaskMetric: Sendable, Hashable {
    package let name: String
    package let higherIsBetter: Bool

    package init(
        name: String, higherIsBetter: Bool
    ) {
        self.name = name
        self.higherIsBetter = higherIsBetter
    }

    package static let accuracy = TaskMetric(name: "accuracy", higherIsBetter: true)
    package static let pearson = TaskMetric(name: "pearson", higherIsBetter: true)
    package static let loss = TaskMetric(name: "loss", higherIsBetter: false)

    /// How much worse `value` is than `reference`; below 0 if it is better.
    package func loss(of value: Double, from reference: Double) -> Double {
        higherIsBetter ? reference - value : value - reference
    }

    /// A score that is larger where the value is better.
    package func score(_ value: Double) -> Double { higherIsBetter ? value : -value }
}
