public import Workers

/// What `silt finetune` did.
public struct FineTuneReport: Sendable {
    /// A validation.
    public struct Checkpoint: Sendable, Hashable {
        /// Steps that were done.
        public let step: Int
        /// The mean loss of the training batches since the validation before.
        public let loss: Double
        /// The metric on the validation data.
        public let value: Double
    }

    /// The metric on the validation data: `accuracy` of classifiers, `pearson` of regressors, `loss` of causal models.
    public let metric: String
    /// Whether more of it is better.
    public let higherIsBetter: Bool
    /// The metric of the model that was written, with its weights as they were stored.
    public let value: Double
    /// The step after which it was validated.
    public let step: Int
    /// All validations.
    public let history: [Checkpoint]
    /// Steps that were done: all.
    public let steps: Int
    /// Examples of the training and of the validation data.
    public let examples: Int, validationExamples: Int
    /// Trained values, and those of them that the base lacks.
    public let parameters: Int, newParameters: Int
    /// The root of the mean squared difference of the written model from the base, over the values that the base has.
    public let distance: Double
    /// Wall-clock seconds, and those of the steps alone, of this run.
    public let seconds: Double, stepSeconds: Double
    /// Steps of this run: fewer than `steps` if it went on from a state.
    public let stepsOfRun: Int
}

/// What is heard of a training while it runs.
public enum FineTuneEvent: WorkEvent {
    /// A step is done: its number, that of all steps, the batch's loss, the learning rate.
    case step(Int, of: Int, loss: Double, rate: Double)
    /// A validation is done, with its metric's name and whether it is the best so far.
    case validation(FineTuneReport.Checkpoint, of: Int, metric: String, isBest: Bool)
}
