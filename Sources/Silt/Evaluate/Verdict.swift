internal import Transformers

/// What a model's answers to a data set say, alone and beside the fine-tuned model's.
struct Verdict: Sendable {
    /// The metric by which the model is judged.
    var metric: TaskMetric
    var value: Double
    /// All metrics by name, that one among them.
    var metrics: [(name: String, value: Double)]
    /// Mean Kullback-Leibler divergence from the reference, in nats; nil without a reference.
    ///
    /// Of regressors it is half the mean squared difference.
    var divergence: Double?
    /// How much the last layer's output changed (the paper's objective without labels); nil where it was not asked for.
    var change: Double?
    /// The standard error of the metric's distance from the reference's, on other data of the same kind; 0 if not known.
    var uncertainty = 0.0
}

/// A metric, and which way is better.
struct TaskMetric: Sendable, Hashable {
    let name: String
    let higherIsBetter: Bool

    static let accuracy = TaskMetric(name: "accuracy", higherIsBetter: true)
    static let pearson = TaskMetric(name: "pearson", higherIsBetter: true)
    static let loss = TaskMetric(name: "loss", higherIsBetter: false)

    /// How much worse `value` is than `reference`; below 0 if it is better.
    func loss(of value: Double, from reference: Double) -> Double {
        higherIsBetter ? reference - value : value - reference
    }

    /// A score that is larger where the value is better.
    func score(_ value: Double) -> Double { higherIsBetter ? value : -value }
}
