import TensorTypes
import TestSupport
import Testing
import Transformers

@Suite("config.json")
struct ConfigurationTests {
    /// A Llama's configuration with some members changed; nil removes one.
    private func text(_ changes: [String: String?] = [:]) -> String {
        var members: [String: String] = [
            "model_type": "\"llama\"", "architectures": "[\"LlamaForCausalLM\"]", "vocab_size": "48",
            "hidden_size": "16", "intermediate_size": "24", "num_hidden_layers": "2", "num_attention_heads": "4",
            "num_key_value_heads": "2", "max_position_embeddings": "32",
        ]
        for (key, value) in changes { members[key] = value }
        return "{" + members.map { "\"\($0)\": \($1)" }.sorted().joined(separator: ", ") + "}"
    }

    private func refusal(_ changes: [String: String?]) -> SiltError? {
        failure { _ = try Models.configuration(text: text(changes)) }
    }

    @Test(
        "values that no model has are refused",
        arguments: [
            "vocab_size": "0", "hidden_size": "-16", "intermediate_size": "1e3", "num_hidden_layers": "5000",
            "num_attention_heads": "3", "num_key_value_heads": "3", "max_position_embeddings": "99999999999",
            "head_dim": "16777216", "rms_norm_eps": "-1", "architectures": "\"LlamaForCausalLM\"",
            "rope_theta": "0", "attention_bias": "1", "pad_token_id": "-9",
        ])
    func refusals(key: String, value: String) throws {
        let error = try #require(refusal([key: value]))
        #expect(error.code == .header)
        #expect(error.file == "config.json")
    }

    @Test("members that are needed are missed", arguments: ["vocab_size", "hidden_size", "max_position_embeddings"])
    func missing(key: String) {
        #expect(refusal([key: nil])?.message.contains(key) == true)
        #expect(refusal([key: "null"])?.message.contains(key) == true)
    }

    @Test(
        "models that Silt does not run are refused with a way out",
        arguments: [
            "model_type": "\"mamba\"", "architectures": "[\"LlamaForQuestionAnswering\"]",
            "hidden_act": "\"quick_gelu\"", "rope_scaling": "{\"type\": \"longrope\", \"factor\": 2}",
            "quantization_config": "{}", "rope_parameters": "{\"full_attention\": {\"rope_theta\": 10}}",
            "partial_rotary_factor": "0.5", "head_dim": "5",
        ])
    func unsupported(key: String, value: String) throws {
        let error = try #require(refusal([key: value]))
        #expect(error.code == .usage)
        #expect(error.description.contains("evaluator"))
    }

    @Test("an encoder that decodes, and labels of several kinds at once, are refused")
    func unsupportedEncoders() throws {
        let bert: [String: String?] = [
            "model_type": "\"bert\"", "architectures": "[\"BertForSequenceClassification\"]",
        ]
        #expect(failure { _ = try Models.configuration(text: text(bert)) } == nil)
        for (key, value) in [
            ("is_decoder", "true"), ("problem_type", "\"multi_label_classification\""),
            ("position_embedding_type", "\"relative_key\""), ("add_cross_attention", "true"),
        ] {
            #expect(refusal(bert.merging([key: value]) { $1 })?.code == .usage, "\(key)")
        }
    }

    @Test("the tensors must be those that the configuration asks for")
    func shapes() throws {
        let path = "Tests/Data/peers/llama-embeddings/base"
        let table = try Models.weights(path)
        func failureOf(_ changes: [String: String?], _ table: WeightTable) -> SiltError? {
            failure { _ = try TransformerModel(Models.configuration(text: text(changes)), table) }
        }
        #expect(failureOf([:], table) == nil)
        for (key, value) in [
            ("vocab_size", "49"), ("hidden_size", "32"), ("num_hidden_layers", "3"), ("num_key_value_heads", "4"),
            ("intermediate_size", "25"), ("attention_bias", "true"), ("model_type", "\"qwen3\""),
            ("architectures", "[\"LlamaForSequenceClassification\"]"), ("model_type", "\"gpt2\""),
        ] {
            let error = try #require(failureOf([key: value], table), "\(key)")
            #expect(error.code == .noMatch && error.tensor != nil, "\(key)")
        }
        var without = table
        without["lm_head.weight"] = nil
        #expect(failureOf([:], without)?.tensor == "lm_head.weight")
        #expect(failureOf(["tie_word_embeddings": "true"], without) == nil)
    }

    @Test("the number of labels must be the head's")
    func labels() throws {
        let path = "Tests/Data/small-foods"
        let text = Repository.text(path + "/config.json")
        let table = try Models.weights(path)
        let three = text.replacing("\"1\": \"great\"", with: "\"1\": \"great\", \"2\": \"more\"")
        #expect(three != text)
        let error = failure { _ = try TransformerModel(Models.configuration(text: three), table) }
        #expect(error?.tensor == "classifier.weight")
    }
}
