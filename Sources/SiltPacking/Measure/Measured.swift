internal import SiltReading
package import TensorTypes

/// What the first pass has found, in the order of the input.
package struct Measured: Sendable {
    /// Digests of the cells of a tensor.
    package enum CellDigests: Sendable {
        /// Of every cell; whoever reads one again must find the same.
        case known([Digest128])
        /// A sample of cells was measured, and the second pass takes the digests.
        case pending
    }

    /// How a segment is coded best.
    package struct Segment: Sendable {
        package let coding: Coding
        /// The bits that it takes, as estimated.
        let bits: Double
    }

    package struct Tensor: Sendable {
        package let segments: [Segment]
        let digests: CellDigests
        /// Whether deltas can be computed in floats: no infinities, NaNs or values of 2^127 and more.
        ///
        /// A pass that samples does not look, and says true.
        package let isFinite: Bool
    }

    /// A file that is no safetensors file.
    struct Other: Sendable {
        /// Of its pieces.
        let digests: [Digest128]
        /// Whether the base directory has an equal file.
        let equalsBase: Bool
    }

    package let tensors: [Tensor]
    let others: [Other]
    /// By base tensor.
    let bases: [CellDigests]
    /// Whether a sample of cells was measured.
    let isSample: Bool
}
