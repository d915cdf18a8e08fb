internal import TensorTypes

/// Names of the modules that have a row for every entry of the vocabulary.
///
/// PEFT saves these whole by itself (`save_embedding_layers`) if their update or a resized vocabulary asks for it.
enum VocabularyNames {
    private static let inputs: Set<Substring> = [
        "embed_tokens", "word_embeddings", "wte", "embed_in", "shared", "tok_embeddings", "tokens_embed",
    ]
    private static let outputs: Set<Substring> = [
        "lm_head", "embed_out", "output_projection", "vocab_projector", "decoder", "proj_out", "output",
    ]

    /// Whether `name` is a tensor of an input embedding.
    static func isInput(_ name: String) -> Bool { module(name).map { inputs.contains($0) } ?? false }

    /// Whether `name` is a tensor of an output layer.
    static func isOutput(_ name: String) -> Bool { module(name).map { outputs.contains($0) } ?? false }

    /// Whether `name` is a tensor of either.
    static func contains(_ name: String) -> Bool { isInput(name) || isOutput(name) }

    private static func module(_ name: String) -> Substring? { name.split(separator: ".").dropLast().last }
}
