internal import Workers

/// What `silt finetune` did.
package struct FineTuneReport: Sendable {
    /// A validation.
    package struct Checkpoint: Sendable, Hashable {
        /// Steps that were done.
        package let step: Int
        /// The mean loss of the training batches since the validation before.
        package let loss: Double
        /// The metric on the validation data.
        package let value: Double
    }

    /// The metric on the validation data: `accuracy` of classifiers, `pearson` of regressors, `loss` of causal models.
    package let metric: String
    /// Whether more of it is better.
    package let higherIsBetter: Bool
    /// The metric of the model that was written, with its weights as they were stored.
    package let value: Double
    /// The step after which it was validated.
    package let step: Int
    /// All validations.
    package let history: [Checkpoint]
    /// Steps that were done: all.
    package let steps: Int
    /// Examples of the training and of the validation data.
    package let examples: Int, validationExamples: Int
    /// Trained values, and those of them that the base lacks.
    package let parameters: Int, newParameters: Int
    /// The root of the mean squared difference of the written model from the base, over the values that the base has.
    package let distance: Double
    /// Wall-clock seconds, and those of the steps alone, of this run.
    package let seconds: Double, stepSeconds: Double
    /// Steps of this run: fewer than `steps` if it went on from a state.
    package let stepsOfRun: Int
}

/// What is heard of a training while it runs.
package enum FineTuneEvent: WorkEvent {
    /// A step is done: its number, that of all steps, the batch's loss, the learning rate.
    case step(Int, of: Int, loss: Double, rate: Double)
    /// A validation is done, with its metric's name and whether it is the best so far.
    case validation(FineTuneReport.Checkpoint, of: Int, metric: String, isBest: Bool)
}
