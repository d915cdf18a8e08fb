internal import SiltFormat
internal import TensorTypes

/// What the second pass has put into a file, in the order of the input: all that the manifest says of it.
package struct Encoded: Sendable {
    /// A segment whose chunks are in the file.
    struct Segment: Sendable {
        let coding: Coding
        /// None of a copy.
        var chunks = 0..<0
        var tables: Int?
        /// What stands for the base, and where its chunks are.
        var components: [ComponentRecord] = []
        var componentChunks = 0..<0
    }

    /// What became of a tensor.
    struct Tensor: Sendable {
        /// Of its cells, as they are in the fine-tuned checkpoint.
        let digests: [Digest128]
        /// What a lossy method made of the first segment; nil if it is exact.
        let lossy: LossyTensor?
        /// The others, or all.
        let segments: [Segment]
    }

    /// A file that is no safetensors file.
    enum Other: Sendable {
        /// The base directory has it.
        case base
        case stored(Codec, Range<Int>)
    }

    let tensors: [Tensor]
    let others: [Other]
    /// Of the base's tensors.
    let bases: [Digest128]
    /// Of the files; nil for those that come back otherwise.
    let sha256: [String?]
    /// How the search for predictions went, by tensor.
    let traces: [Int: Predicted.Trace]
}
