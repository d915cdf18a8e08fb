internal import TensorTypes

/// How PEFT adapts the module of a tensor, judged by names: what a pack does not know of its model.
package enum AdapterModuleStyle: Sendable, Hashable {
    /// `lora_A` [r, in] and `lora_B` [out, r] of a weight [out, in].
    case linear
    /// The same of a weight [in, out]: GPT-2's Conv1D.
    case turnedLinear
    /// `lora_embedding_A` [r, vocabulary] and `lora_embedding_B` [dimension, r].
    case embedding
    /// `lora_A` [r, in, kernel…] and `lora_B` [out, r, 1…] of a convolution.
    case convolution

    /// Families whose attention and feed-forward layers are Conv1D, by `model_type` in config.json.
    private static let turnedFamilies: Set<String> = ["gpt2", "openai-gpt", "imagegpt", "decision_transformer", "clvp"]
    private static let turnedModules: Set<String> = ["c_attn", "c_proj", "c_fc", "q_attn"]
    private static let embeddingModules: Set<String> = [
        "embed_tokens", "wte", "wpe", "embed_in", "shared", "tok_embeddings", "tokens_embed", "positions_embed",
        "embed_positions",
        "relative_attention_bias",
    ]

    /// The style for the tensor `name`; nil if it is no weight of a module that PEFT adapts.
    ///
    /// `family` is the `model_type` of config.json.
    package init?(of name: String, shape: [Int], family: String?) {
        guard name.hasSuffix(".weight"), shape.count >= 2 else { return nil }
        let module = name.dropLast(".weight".count).split(separator: ".").last.map(String.init) ?? ""
        guard shape.count == 2 else {
            guard shape.count <= 5 else { return nil }
            self = .convolution
            return
        }
        if AdapterModuleStyle.embeddingModules.contains(module) || module.hasSuffix("embeddings")
            || module.hasSuffix("embedding")
        {
            self = .embedding
        } else if let family, AdapterModuleStyle.turnedFamilies.contains(family),
            AdapterModuleStyle.turnedModules.contains(module)
        {
            self = .turnedLinear
        } else {
            self = .linear
        }
    }

    /// Names of the adapter's tensors, their shapes, and which factor each is.
    ///
    /// `left` has a column for each of the weight's rows, `right` one for each element of a row (Formats/Silt.md 12.2). A tensor
    /// that is `transposed` is the factor's transpose.
    package func tensors(
        of name: String, shape: [Int], rank: Int
    ) -> [(name: String, shape: [Int], isLeft: Bool, isTransposed: Bool)] {
        let path = AdapterTensorName.prefix + name.dropLast(".weight".count)
        let row = Array(shape.dropFirst())
        switch self {
        case .linear:
            return [
                (path + ".lora_A.weight", [rank] + row, false, false),
                (path + ".lora_B.weight", [shape[0], rank], true, true),
            ]
        case .convolution:
            return [
                (path + ".lora_A.weight", [rank] + row, false, false),
                (path + ".lora_B.weight", [shape[0], rank] + row.dropFirst().map { _ in 1 }, true, true),
            ]
        case .turnedLinear:
            return [
                (path + ".lora_A.weight", [rank, shape[0]], true, false),
                (path + ".lora_B.weight", row + [rank], false, true),
            ]
        case .embedding:
            return [
                (path + ".lora_embedding_A", [rank, shape[0]], true, false),
                (path + ".lora_embedding_B", row + [rank], false, true),
            ]
        }
    }
}
