internal import Safetensors
internal import TensorTypes

/// The two factors of an adapted module, as the adapter's file has them.
///
/// Which extent of the weight belongs to which factor is only known beside the base (`AdapterMatcher`).
struct LowRankPair: Sendable {
    /// The adapted tensor in the adapter's words: the module's path and `.weight`.
    let target: String
    /// `lora_A`: [r, in], [r, in, kernel…]; of an embedding [r, vocabulary].
    let first: SafetensorsHeader.Entry
    /// `lora_B`: [out, r], [out, r, 1…]; of an embedding [dimension, r].
    let second: SafetensorsHeader.Entry
    let rank: Int
    /// alpha / r, or alpha / sqrt(r).
    let scale: Float
    let isEmbedding: Bool
}
