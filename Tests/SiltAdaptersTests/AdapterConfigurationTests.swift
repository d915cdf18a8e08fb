@testable import SiltAdapters
import TensorTypes
import TestSupport
import Testing

@Suite("The configuration of an adapter")
struct AdapterConfigurationTests {
    private func parse(_ text: String) throws -> AdapterConfiguration {
        try AdapterConfiguration(bytes: Array(text.utf8), path: "adapter_config.json")
    }

    private func lora(_ fields: String) throws -> AdapterConfiguration {
        try parse("{\"peft_type\": \"LORA\"\(fields.isEmpty ? "" : ", ")\(fields)}")
    }

    @Test("what PEFT leaves out has PEFT's defaults")
    func defaults() throws {
        let configuration = try lora("")
        #expect(configuration.rank == 8 && configuration.alpha == 8 && configuration.bias == "none")
        #expect(configuration.scale(of: "a.b", rank: 8) == 1 && configuration.baseModel == nil)
    }

    @Test("scale is alpha / r, or alpha / sqrt(r), by module")
    func scales() throws {
        let patterns = "\"r\": 4, \"lora_alpha\": 8, \"rank_pattern\": {\"q\": 16}, \"alpha_pattern\": {\"q\": 2.5}"
        let plain = try lora(patterns)
        #expect(plain.rank(of: "layers.0.q") == 16 && plain.rank(of: "layers.0.seq") == 4)
        #expect(plain.scale(of: "layers.0.q", rank: 16) == 0.15625 && plain.scale(of: "layers.0.k", rank: 4) == 2)
        let stabilized = try lora(patterns + ", \"use_rslora\": true")
        #expect(stabilized.scale(of: "layers.0.q", rank: 16) == 0.625 && stabilized.scale(of: "k", rank: 4) == 4)
    }

    // Expectations computed with Python: bool(re.match(rf"(.*\.)?({key})$", path)).
    @Test(
        "keys match as PEFT's do",
        arguments: [
            ("q", "layers.0.q", true), ("q", "q", true), ("q", "layers.0.xq", false), ("q", "q.x", false),
            ("layers.0.q", "model.layers.0.q", true), ("layers.0.q", "model.layersx0.q", true),
            ("^layers.0.q", "model.layers.0.q", false), ("^layers.0.q", "layers.0.q", true),
            (#"layers\.\d+\.(q|v)"#, "m.layers.12.v", true), (#"layers\.\d+\.(q|v)"#, "m.layers.12.k", false),
            (".*q.*", "a.xqy.b", true), ("[a-c]+", "x.abc", true), ("[^a-c]+", "x.abd", false),
            ("a{2,3}", "x.aaa", true), ("a{2}", "x.aaa", false), ("a|b", "x.b", true), ("(?:a|b)c?$", "x.b", true),
            ("", "x.", true), ("", "x", false), ("x.*?y", "xay", true),
        ])
    func keys(key: String, path: String, matches: Bool) throws {
        #expect(try KeyPattern(key).matches(path) == matches)
    }

    @Test("of several keys the first counts")
    func order() throws {
        let configuration = try lora("\"rank_pattern\": {\"b.q\": 3, \"q\": 5}")
        #expect(configuration.rank(of: "a.b.q") == 3 && configuration.rank(of: "a.c.q") == 5)
    }

    @Test(
        "keys that would take long, or that are not understood, are refused",
        arguments: [
            "(a+)+", "(a", "a)", "*", "(?=a)", #"\1"#, "[a", "a{3,2}", "a{9999}", String(repeating: "(", count: 99),
        ])
    func badKeys(key: String) {
        #expect(code { _ = try KeyPattern(key) } == .usage)
    }

    @Test(
        "what is no sum of the base and B A is refused by name",
        arguments: [
            ("\"use_dora\": true", "DoRA"), ("\"lora_bias\": true", "lora_bias"), ("\"use_qalora\": true", "QALoRA"),
            ("\"alora_invocation_tokens\": [1]", "aLoRA"), ("\"layer_replication\": [[0, 1]]", "layer_replication"),
            ("\"init_lora_weights\": \"pissa_niter_4\"", "pissa"), ("\"init_lora_weights\": \"olora\"", "olora"),
            ("\"init_lora_weights\": \"corda\"", "corda"), ("\"init_lora_weights\": \"loftq\"", "loftq"),
            ("\"trainable_token_indices\": {\"x\": [1]}", "trainable_token_indices"),
            ("\"target_parameters\": [\"x\"]", "target_parameters"), ("\"kasa_config\": {\"x\": 1}", "KaSA"),
        ])
    func variants(fields: String, name: String) throws {
        let error = try #require(failure { _ = try lora(fields) })
        #expect(error.code == .usage && error.message.contains(name) && error.advice != nil)
    }

    @Test("variants that are switched off do no harm, nor do initialisations that keep the base")
    func harmless() throws {
        _ = try lora("\"use_dora\": false, \"alora_invocation_tokens\": null, \"loftq_config\": {}")
        for name in ["\"gaussian\"", "\"eva\"", "\"orthogonal\"", "true", "false"] {
            _ = try lora("\"init_lora_weights\": \(name)")
        }
    }

    @Test("other types of adapter are refused by name")
    func types() throws {
        for type in ["LOHA", "IA3", "PREFIX_TUNING", "ADALORA", "VERA"] {
            let error = try #require(failure { _ = try parse("{\"peft_type\": \"\(type)\"}") })
            #expect(error.code == .usage && error.message.contains(type))
        }
        #expect(try parse("{\"peft_type\": \"SHIRA\"}").kind == .shira)
    }

    @Test(
        "malformed fields",
        arguments: [
            "{", "[]", "{}", "{\"peft_type\": 1}", "{\"peft_type\": \"LORA\", \"r\": \"8\"}",
            "{\"peft_type\": \"LORA\", \"r\": 0}", "{\"peft_type\": \"LORA\", \"bias\": \"some\"}",
            "{\"peft_type\": \"LORA\", \"rank_pattern\": {\"a\": 0}}", "{\"peft_type\": \"LORA\", \"use_rslora\": 1}",
            "{\"peft_type\": \"LORA\", \"modules_to_save\": [1]}", "{\"peft_type\": \"LORA\", \"rank_pattern\": []}",
        ])
    func malformed(text: String) {
        #expect(code { _ = try parse(text) } == .header)
    }

    @Test("modules_to_save names modules by the ends of their paths")
    func saves() throws {
        let configuration = try lora("\"modules_to_save\": [\"classifier\", \"head.out\"]")
        for name in ["classifier.weight", "m.classifier.dense.bias", "a.head.out.weight", "subclassifier.weight"] {
            #expect(configuration.saves(name))
        }
        for name in ["head.weight", "classifier", "a.out.weight"] { #expect(!configuration.saves(name)) }
    }
}
