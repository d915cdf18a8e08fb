import TestSupport
import Testing
import Transformers

/// A tiny model of some family, with random weights.
struct RandomModel: CustomTestStringConvertible {
    let testDescription: String
    let configuration: String
    /// Names and shapes; `*` stands for the number of each of two blocks.
    let tensors: [(name: String, shape: [Int])]
    let padding: Int32

    /// Weights around 0, those of norms around 1.
    func weights(seed: UInt64 = 1) -> WeightTable {
        var generator = SeededGenerator(seed: seed)
        var table = WeightTable()
        for (name, shape) in tensors {
            for block in name.contains("*") ? ["0", "1"] : [""] {
                let isNorm = name.lowercased().contains("norm") || name.contains("ln_")
                let center: Float = isNorm && name.hasSuffix("weight") ? 1 : 0
                let full = name.split(separator: "*", omittingEmptySubsequences: false).joined(separator: block)
                table[full] = unsafe FloatTensor(shape: shape) { values in
                    for index in 0..<shape.reduce(1, *) {
                        unsafe values[index] = center + Float(generator.below(2_001) - 1_000) / 2_000
                    }
                }
            }
        }
        return table
    }

    /// Examples with 9, 2 and 6 tokens, padded at the end (or on the left), with labels.
    func data(labels: Labels?, isLeft: Bool = false) throws -> TokenData {
        var generator = SeededGenerator(seed: 7)
        var (ids, mask): ([Int32], [Bool]) = ([], [])
        for length in [9, 2, 6] {
            let own = (0..<length).map { _ in Int32(2 + generator.below(15)) }
            let rest = Array(repeating: padding, count: 9 - length)
            ids += isLeft ? rest + own : own + rest
            let flags = own.map { _ in true }
            mask += isLeft ? rest.map { _ in false } + flags : flags + rest.map { _ in false }
        }
        return try TokenData(ids: ids, mask: mask, length: 9, labels: labels)
    }

    private static let sizes = """
        "vocab_size": 17, "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 2, "num_attention_heads": 2,
        "max_position_embeddings": 16
        """

    private static func matrix(_ name: String, _ outputs: Int, _ inputs: Int, bias: Bool = true) -> [(String, [Int])] {
        [(name + ".weight", [outputs, inputs])] + (bias ? [(name + ".bias", [outputs])] : [])
    }

    private static func norm(_ name: String) -> [(String, [Int])] { [(name + ".weight", [8]), (name + ".bias", [8])] }

    private static func bert(_ prefix: String) -> [(String, [Int])] {
        let block = prefix + "encoder.layer.*."
        return [
            (prefix + "embeddings.word_embeddings.weight", [17, 8]),
            (prefix + "embeddings.position_embeddings.weight", [16, 8]),
            (prefix + "embeddings.token_type_embeddings.weight", [2, 8]),
        ] + norm(prefix + "embeddings.LayerNorm") + matrix(block + "attention.self.query", 8, 8)
            + matrix(block + "attention.self.key", 8, 8) + matrix(block + "attention.self.value", 8, 8)
            + matrix(block + "attention.output.dense", 8, 8) + norm(block + "attention.output.LayerNorm")
            + matrix(block + "intermediate.dense", 12, 8) + matrix(block + "output.dense", 8, 12)
            + norm(block + "output.LayerNorm")
    }

    private static func llama(bias: Bool, width: Int = 4, headNorms: Bool = false) -> [(String, [Int])] {
        let block = "model.layers.*."
        var tensors = [("model.embed_tokens.weight", [17, 8]), ("model.norm.weight", [8])]
        tensors += matrix(block + "self_attn.q_proj", 2 * width, 8, bias: bias)
        tensors += matrix(block + "self_attn.k_proj", width, 8, bias: bias)
        tensors += matrix(block + "self_attn.v_proj", width, 8, bias: bias)
        tensors += matrix(block + "self_attn.o_proj", 8, 2 * width, bias: false)
        tensors += matrix(block + "mlp.gate_proj", 12, 8, bias: false)
        tensors += matrix(block + "mlp.up_proj", 12, 8, bias: false)
        tensors += matrix(block + "mlp.down_proj", 8, 12, bias: false)
        tensors += [(block + "input_layernorm.weight", [8]), (block + "post_attention_layernorm.weight", [8])]
        if headNorms {
            tensors += [(block + "self_attn.q_norm.weight", [width]), (block + "self_attn.k_norm.weight", [width])]
        }
        return tensors
    }

    private init(
        _ name: String, _ members: String, _ tensors: [(String, [Int])], padding: Int32 = 0
    ) {
        testDescription = name
        configuration = "{\(members), \(RandomModel.sizes)}"
        self.tensors = tensors.map { (name: $0.0, shape: $0.1) }
        self.padding = padding
    }

    static let classifiers = [
        RandomModel(
            "bert", #""model_type": "bert", "architectures": ["BertForSequenceClassification"], "num_labels": 3"#,
            bert("bert.") + matrix("bert.pooler.dense", 8, 8) + matrix("classifier", 3, 8)),
        RandomModel(
            "roberta",
            #""model_type": "roberta", "architectures": ["RobertaForSequenceClassification"], "num_labels": 3"#,
            bert("roberta.") + matrix("classifier.dense", 8, 8) + matrix("classifier.out_proj", 3, 8), padding: 1),
        RandomModel(
            "distilbert",
            #""model_type": "distilbert", "architectures": ["DistilBertForSequenceClassification"], "num_labels": 3"#,
            distilbert + matrix("pre_classifier", 8, 8) + matrix("classifier", 3, 8)),
        RandomModel(
            "llama classifier",
            #""model_type": "llama", "architectures": ["LlamaForSequenceClassification"], "num_labels": 3, "#
                + #""num_key_value_heads": 1, "pad_token_id": 0"#,
            llama(bias: false) + matrix("score", 3, 8, bias: false)),
    ]

    static let causal = [
        RandomModel(
            "mistral",
            #""model_type": "mistral", "architectures": ["MistralForCausalLM"], "num_key_value_heads": 1, "#
                + #""sliding_window": 3"#,
            llama(bias: false) + matrix("lm_head", 17, 8, bias: false)),
        RandomModel(
            "qwen2, tied",
            #""model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"], "num_key_value_heads": 1, "#
                + #""tie_word_embeddings": true"#,
            llama(bias: true)),
        RandomModel(
            "qwen3",
            #""model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"], "num_key_value_heads": 1, "head_dim": 6"#,
            llama(bias: false, width: 6, headNorms: true) + matrix("lm_head", 17, 8, bias: false)),
        RandomModel(
            "gpt2", #""model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_inner": 12"#, gpt2),
    ]

    static let regression = RandomModel(
        "bert regression",
        #""model_type": "bert", "architectures": ["BertForSequenceClassification"], "num_labels": 1"#,
        bert("bert.") + matrix("bert.pooler.dense", 8, 8) + matrix("classifier", 1, 8))

    private static let distilbert: [(String, [Int])] = {
        let block = "distilbert.transformer.layer.*."
        var tensors = [
            ("distilbert.embeddings.word_embeddings.weight", [17, 8]),
            ("distilbert.embeddings.position_embeddings.weight", [16, 8]),
        ]
        tensors += norm("distilbert.embeddings.LayerNorm")
        for name in ["attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin"] {
            tensors += matrix(block + name, 8, 8)
        }
        tensors += norm(block + "sa_layer_norm") + matrix(block + "ffn.lin1", 12, 8)
        tensors += matrix(block + "ffn.lin2", 8, 12)
        return tensors + norm(block + "output_layer_norm")
    }()

    private static let gpt2: [(String, [Int])] = {
        let block = "transformer.h.*."
        var tensors = [("transformer.wte.weight", [17, 8]), ("transformer.wpe.weight", [16, 8])]
        for (name, inputs, outputs) in [
            ("attn.c_attn", 8, 24), ("attn.c_proj", 8, 8), ("mlp.c_fc", 8, 12), ("mlp.c_proj", 12, 8),
        ] {
            tensors += [(block + name + ".weight", [inputs, outputs]), (block + name + ".bias", [outputs])]
        }
        return tensors + norm(block + "ln_1") + norm(block + "ln_2") + norm("transformer.ln_f")
    }()
}
