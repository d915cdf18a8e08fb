public import Workers

/// A candidate that was tried.
public struct Trial: WorkEvent {
    /// How it is made.
    public let choice: PackingChoice
    /// Bytes of the file, within a percent; all counted.
    public let bytes: Int
    /// Mean divergence from the fine-tuned model on the calibration data, in nats, or what is to be expected on others if that is
    /// more; nil if it was not measured.
    public let divergence: Double?
    /// The metric on the validation data; nil if it was not measured.
    public let metric: Double?
    /// Whether it keeps to the goal.
    public let passes: Bool
}
