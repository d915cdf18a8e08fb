internal import Workers

/// A candidate that was tried.
package struct Trial: WorkEvent {
    /// How it is made.
    package let choice: PackingChoice
    /// Bytes of the file, within a percent; all counted.
    package let bytes: Int
    /// Mean divergence from the fine-tuned model on the calibration data, in nats, or what is to be expected on others if that is
    /// more; nil if it was not measured.
    package let divergence: Double?
    /// The metric on the validation data; nil if it was not measured.
    package let metric: Double?
    /// Whether it keeps to the goal.
    package let passes: Bool
}
