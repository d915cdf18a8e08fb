public import SiltFormat

/// What a pair's deltas look like, and what packing them would take.
public struct PlanReport: Sendable {
    /// Tensors whose names differ in layer numbers only.
    public struct Group: Sendable {
        /// The name, numbers replaced by `*`.
        public let name: String
        /// Tensors, and their values.
        public let tensors: Int, parameters: Int
        /// Mean, standard deviation and largest magnitude of the delta.
        public let mean: Double, deviation: Double, largest: Double
        /// Share of values that equal the base's.
        public let unchanged: Double
        /// Excess kurtosis of the delta: 0 for a normal distribution.
        public let kurtosis: Double
    }

    /// A way to pack.
    public struct Candidate: Sendable {
        /// How it is made; nil: exact.
        public let choice: PackingChoice?
        /// What such a file promises.
        public var contract: Contract { choice == nil ? .exact : .lossy }
        /// Bytes of the whole file, predicted.
        public let bytes: Int
        /// Bits for each parameter of the model.
        public let bitsPerParameter: Double
        /// Relative L2 error of the tensors that are pruned (Formats/Silt.md, section 12.7); 0 for exact.
        public let relativeL2: Double
    }

    /// The groups, those with most values first.
    public let groups: [Group]
    /// The ways to pack, exact first.
    public let candidates: [Candidate]
    /// What is recommended, the most important first.
    public let advice: [PlanAdvice]
    /// Bytes of the fine-tuned files, and values of their tensors.
    public let fineTunedBytes: Int, parameters: Int
    /// Values that lossy methods would take by default.
    public let lossyParameters: Int
    /// Whether lossy sizes come from a sample of layers.
    public let isSampled: Bool
    /// Where the paper's pipeline leads; nil: without calibration data nothing was run.
    public let pipeline: PipelineReport?
    /// Wall-clock seconds.
    public let seconds: Double
}
