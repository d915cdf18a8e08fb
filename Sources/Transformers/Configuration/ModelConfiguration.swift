package import TensorTypes

/// What config.json says of a model, checked.
///
/// Only the relation to the tensors is not checked here: that is `TransformerModel`'s.
package struct ModelConfiguration: Sendable {
    /// What the file says the model is for; `.any` if it does not say.
    enum Task: Sendable, Hashable {
        case classification, causal, hidden, any
    }

    /// The file that it was read from, for messages.
    package let file: String
    let family: ModelFamily
    let task: Task
    let vocabulary: Int
    let hidden: Int
    let intermediate: Int
    let blocks: Int
    let heads: Int
    let keyHeads: Int
    /// Elements of a head.
    let headWidth: Int
    /// `max_position_embeddings`.
    let positionRows: Int
    /// Kinds of segments that an encoder tells apart; 0: it has no such embedding.
    let tokenTypes: Int
    let epsilon: Float
    let activation: Activation
    let padding: Int?
    let labels: Int
    let isTied: Bool
    /// How the scores of each block's attention are scaled, and how far back it sees (nil: all the way).
    let attention: [AttentionRule]
    let rotary: RotaryConfiguration?
    /// Whether q, k and v, o, and the linear layers of the MLP have biases.
    let biases: (queries: Bool, output: Bool, feedForward: Bool)

    /// What differs between the attention of one block and another.
    struct AttentionRule: Sendable, Hashable {
        var scale: Float
        var window: Int?
    }

    /// Reads the members of a config.json.
    ///
    /// Throws `header` for a value that no model can have, `usage` for a model that Silt does not run.
    package init(_ json: JSONValue, file: String) throws(SiltError) {
        let fields = try JSONFields(json, of: .file(file))
        self.file = file
        family = try ModelConfiguration.family(fields)
        task = try ModelConfiguration.task(fields)
        let isGPT2 = family == .gpt2
        vocabulary = try fields.needed("vocab_size")
        hidden = try fields.needed("hidden_size", or: isGPT2 ? "n_embd" : "dim")
        blocks = try fields.needed("num_hidden_layers", or: isGPT2 ? "n_layer" : "n_layers")
        heads = try fields.needed("num_attention_heads", or: isGPT2 ? "n_head" : "n_heads")
        guard blocks <= 4_096 else {
            throw SiltError(.header, "the model has \(blocks) blocks; at most 4096 are allowed", file: file)
        }
        if isGPT2 {
            intermediate = try fields.extent("n_inner", "intermediate_size") ?? 4 * hidden
        } else {
            intermediate = try fields.needed("intermediate_size", or: "hidden_dim")
        }
        positionRows = try fields.needed("max_position_embeddings", or: isGPT2 ? "n_positions" : nil)
        let usesKeyHeads = family.isDecoder && !isGPT2
        keyHeads = usesKeyHeads ? try ModelConfiguration.keyHeads(fields, family) ?? heads : heads
        if usesKeyHeads, let width = try fields.extent("head_dim") {
            headWidth = width
        } else {
            guard family == .qwen3 || hidden % heads == 0 else {
                throw SiltError(
                    .header, "a hidden size of \(hidden) does not divide into \(heads) heads", file: file)
            }
            headWidth = family == .qwen3 ? 128 : hidden / heads
        }
        guard heads % keyHeads == 0 else {
            throw SiltError(.header, "\(heads) heads do not share \(keyHeads) key heads evenly", file: file)
        }
        let width = heads.multipliedReportingOverflow(by: headWidth)
        guard !width.overflow, width.partialValue <= JSONFields.extentLimit else {
            throw SiltError(.header, "\(heads) heads of \(headWidth) elements are too many", file: file)
        }
        tokenTypes =
            family == .bert || family.isRoberta ? try fields.extent("type_vocab_size") ?? 2 : 0
        epsilon = Float(try ModelConfiguration.epsilon(fields, family))
        activation = try ModelConfiguration.activation(fields, family)
        padding = try ModelConfiguration.padding(fields, family)
        labels = try ModelConfiguration.labels(fields, task)
        isTied = try fields.flag("tie_word_embeddings") ?? (isGPT2 || !family.isDecoder)
        attention = try ModelConfiguration.attention(fields, family, blocks: blocks, headWidth: headWidth)
        if usesKeyHeads {
            rotary = try RotaryConfiguration(fields, width: headWidth, positions: positionRows)
        } else {
            rotary = nil
        }
        biases = try ModelConfiguration.biases(fields, family)
    }

    /// Whether a decoder's file does not say which token pads: then nothing tells where a padded sequence ends.
    package var lacksPadding: Bool { family.isDecoder && (padding ?? -1) < 0 }

    /// The longest sequence.
    var positions: Int { family.isRoberta ? max(0, positionRows - (padding ?? 1) - 1) : positionRows }
}
