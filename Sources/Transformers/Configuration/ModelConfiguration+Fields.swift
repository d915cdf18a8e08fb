internal import TensorTypes

/// How single members of config.json are read, with the defaults of each model type.
extension ModelConfiguration {
    static func family(_ fields: JSONFields) throws(SiltError) -> ModelFamily {
        let known = ModelFamily.allCases.map(\.rawValue).joined(separator: ", ")
        guard let name = try fields.string("model_type") else {
            throw fields.unsupported("\"model_type\" is missing; Silt runs \(known)")
        }
        guard let family = ModelFamily(rawValue: name) else {
            throw fields.unsupported("Silt does not run models of the type \"\(name)\", only \(known)")
        }
        if let kind = try fields.string("position_embedding_type"), kind != "absolute", !family.isDecoder {
            throw fields.unsupported("position embeddings of the type \"\(kind)\" are not supported, only absolute")
        }
        if !family.isDecoder, try fields.flag("is_decoder") == true {
            throw fields.unsupported("an encoder that is used as a decoder (\"is_decoder\") is not supported")
        }
        if try fields.flag("add_cross_attention") == true {
            throw fields.unsupported("cross-attention is not supported")
        }
        if fields["quantization_config"] != nil {
            throw fields.unsupported("the weights are quantised (\"quantization_config\"), which is not supported")
        }
        return family
    }

    static func task(_ fields: JSONFields) throws(SiltError) -> Task {
        guard let name = try fields.strings("architectures")?.first else { return .any }
        if name.hasSuffix("ForSequenceClassification") { return .classification }
        if name.hasSuffix("ForCausalLM") || name == "GPT2LMHeadModel" { return .causal }
        if name.hasSuffix("Model") { return .hidden }
        throw fields.unsupported(
            "Silt does not run the architecture \"\(name)\", only models for sequence classification, causal language "
                + "models and models without a head")
    }

    /// Heads of keys and values; nil: as many as there are of queries.
    static func keyHeads(_ fields: JSONFields, _ family: ModelFamily) throws(SiltError) -> Int? {
        // Null says that heads share nothing; a file without the member means the type's own number.
        guard !fields.has("num_key_value_heads") else { return try fields.extent("num_key_value_heads") }
        switch family {
        case .mistral: return 8
        case .qwen2, .qwen3: return 32
        default: return nil
        }
    }

    static func epsilon(_ fields: JSONFields, _ family: ModelFamily) throws(SiltError) -> Double {
        let value: Double
        switch family {
        case .bert, .roberta, .xlmRoberta, .camembert: value = try fields.number("layer_norm_eps") ?? 1e-12
        case .distilbert: value = 1e-12
        case .llama, .mistral, .qwen2, .qwen3: value = try fields.number("rms_norm_eps") ?? 1e-6
        case .gpt2: value = try fields.number("layer_norm_epsilon") ?? 1e-5
        }
        guard value >= 0, value <= 1 else {
            throw SiltError(.header, "the epsilon of the norms is \(value); it must be from 0 to 1", file: fields.file)
        }
        return value
    }

    static func activation(_ fields: JSONFields, _ family: ModelFamily) throws(SiltError) -> Activation {
        let key: String
        let standard: String
        switch family {
        case .bert, .roberta, .xlmRoberta, .camembert: (key, standard) = ("hidden_act", "gelu")
        case .distilbert: (key, standard) = ("activation", "gelu")
        case .llama, .mistral, .qwen2, .qwen3: (key, standard) = ("hidden_act", "silu")
        case .gpt2: (key, standard) = ("activation_function", "gelu_new")
        }
        let name = try fields.string(key) ?? standard
        guard let activation = Activation(name: name) else {
            throw fields.unsupported("Silt does not have the activation \"\(name)\", only \(Activation.names)")
        }
        return activation
    }

    static func padding(_ fields: JSONFields, _ family: ModelFamily) throws(SiltError) -> Int? {
        // A file that does not name the padding token has the type's own; null says that there is none.
        guard fields.has("pad_token_id") else {
            switch family {
            case .bert, .distilbert: return 0
            case .roberta, .xlmRoberta, .camembert: return 1
            default: return nil
            }
        }
        guard let padding = try fields.integer("pad_token_id") else { return nil }
        guard (-1...JSONFields.extentLimit).contains(padding) else {
            throw SiltError(.header, "\"pad_token_id\" is \(padding)", file: fields.file)
        }
        // -1: what some configurations of Llama say for "none"; as an id it is never met.
        return family.isRoberta ? max(padding, 0) : padding
    }

    static func labels(_ fields: JSONFields, _ task: Task) throws(SiltError) -> Int {
        var labels = 2
        if let members = try fields.object("id2label") {
            labels = members.count
        } else if let count = try fields.extent("num_labels") {
            labels = count
        }
        guard task == .classification else { return labels }
        guard labels > 0 else { throw SiltError(.header, "the model has no labels", file: fields.file) }
        let problem = try fields.string("problem_type")
        if problem == "multi_label_classification" || (problem == "regression" && labels > 1) {
            throw fields.unsupported("\"problem_type\" \(problem ?? "") with \(labels) labels is not supported")
        }
        return labels
    }

    static func attention(
        _ fields: JSONFields, _ family: ModelFamily, blocks: Int, headWidth: Int
    ) throws(SiltError) -> [AttentionRule] {
        var rule = AttentionRule(scale: Float(1 / Double(headWidth).squareRoot()), window: nil)
        switch family {
        case .gpt2:
            if try fields.flag("scale_attn_weights") == false { rule.scale = 1 }
            let isByLayer = try fields.flag("scale_attn_by_inverse_layer_idx") ?? false
            return (0..<blocks).map { index in
                AttentionRule(scale: isByLayer ? rule.scale / Float(index + 1) : rule.scale, window: nil)
            }
        case .mistral:
            // Absent means the type's own 4096; null means none.
            rule.window = !fields.has("sliding_window") ? 4_096 : try fields.extent("sliding_window")
            return Array(repeating: rule, count: blocks)
        case .qwen2, .qwen3:
            guard try fields.flag("use_sliding_window") == true else { return Array(repeating: rule, count: blocks) }
            let window = try !fields.has("sliding_window") ? 4_096 : fields.extent("sliding_window")
            let types = try fields.strings("layer_types")
            if let types, types.count != blocks {
                throw SiltError(
                    .header, "\"layer_types\" has \(types.count) entries for \(blocks) blocks", file: fields.file)
            }
            if let other = types?.first(where: { $0 != "sliding_attention" && $0 != "full_attention" }) {
                throw fields.unsupported("layers of the type \"\(other)\" are not supported")
            }
            let first = try fields.integer("max_window_layers") ?? 28
            return (0..<blocks).map { index in
                let isSliding = types.map { $0[index] == "sliding_attention" } ?? (index >= first)
                return AttentionRule(scale: rule.scale, window: isSliding ? window : nil)
            }
        default:
            return Array(repeating: rule, count: blocks)
        }
    }

    static func biases(
        _ fields: JSONFields, _ family: ModelFamily
    ) throws(SiltError) -> (queries: Bool, output: Bool, feedForward: Bool) {
        switch family {
        case .llama:
            let attention = try fields.flag("attention_bias") ?? false
            return (attention, attention, try fields.flag("mlp_bias") ?? false)
        case .mistral: return (false, false, false)
        case .qwen2: return (true, false, false)
        case .qwen3:
            let attention = try fields.flag("attention_bias") ?? false
            return (attention, attention, false)
        default: return (true, true, true)
        }
    }
}
