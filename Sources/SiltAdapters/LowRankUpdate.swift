internal import Safetensors
internal import TensorTypes

/// What an adapter adds to a tensor: `scale * left^T right`, as a component of kind `low-rank` has it (Formats/Silt.md 12.2).
struct LowRankUpdate: Sendable {
    /// The most elements of a factor, rows of a part, and columns of a part (Formats/Silt.md, sections 12.1 and 12.2).
    static let limit = (elements: Grid.factorLimit, rows: Grid.limit, columns: Grid.limit)

    /// The adapted tensor in the adapter's words.
    let target: String
    let rank: Int
    let scale: Float
    /// `rank` rows and as many columns as the tensor has rows.
    let left: AdapterFactor
    /// `rank` rows and as many columns as the tensor's rows have elements.
    let right: AdapterFactor
}
