package import SiltFormat

/// What a pair's deltas look like, and what packing them would take.
package struct PlanReport: Sendable {
    /// Tensors whose names differ in layer numbers only.
    package struct Group: Sendable {
        /// The name, numbers replaced by `*`.
        package let name: String
        /// Tensors, and their values.
        package let tensors: Int, parameters: Int
        /// Mean, standard deviation and largest magnitude of the delta.
        package let mean: Double, deviation: Double, largest: Double
        /// Share of values that equal the base's.
        package let unchanged: Double
        /// Excess kurtosis of the delta: 0 for a normal distribution.
        package let kurtosis: Double
    }

    /// A way to pack.
    package struct Candidate: Sendable {
        /// How it is made; nil: exact.
        package let choice: PackingChoice?
        /// What such a file promises.
        package var contract: Contract { choice == nil ? .exact : .lossy }
        /// Bytes of the whole file, predicted.
        package let bytes: Int
        /// Bits for each parameter of the model.
        package let bitsPerParameter: Double
        /// Relative L2 error of the tensors that are pruned (Formats/Silt.md, section 12.7); 0 for exact.
        package let relativeL2: Double
    }

    /// The groups, those with most values first.
    package let groups: [Group]
    /// The ways to pack, exact first.
    package let candidates: [Candidate]
    /// What is recommended, the most important first.
    package let advice: [PlanAdvice]
    /// Bytes of the fine-tuned files, and values of their tensors.
    package let fineTunedBytes: Int, parameters: Int
    /// Values that lossy methods would take by default.
    package let lossyParameters: Int
    /// Whether lossy sizes come from a sample of layers.
    package let isSampled: Bool
    /// Where the paper's pipeline leads; nil: without calibration data nothing was run.
    package let pipeline: PipelineReport?
    /// Wall-clock seconds.
    package let seconds: Double
}
