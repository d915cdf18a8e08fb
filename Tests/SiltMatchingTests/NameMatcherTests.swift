import SiltReading
import SceneSupport
@testable import SiltMatching
import Safetensors
import TensorTypes
import TestSupport
import Testing

@Suite("Which base tensor predicts which tensor")
struct NameMatcherTests {
    private let scene: Scene

    init() throws { scene = try Scene() }

    /// The match of a tensor against a base with these tensors (all F32 [4, 6] unless told otherwise).
    private func match(
        _ name: String, in base: [(String, DType, [Int])], _ dtype: DType = .f32, _ shape: [Int] = [4, 6]
    ) throws -> String? {
        var generator = SeededGenerator(seed: 1)
        try scene.write(try base.map { try TestTensor($0.0, $0.1, $0.2, using: &generator) }, to: "base")
        let info = try #require(TensorInfo(dtype: dtype, shape: shape))
        return NameMatcher(try Checkpoint(at: scene.directory("base")).tensors).match(name, info)?.name
    }

    private func match(_ name: String, in names: String...) throws -> String? {
        try match(name, in: names.map { ($0, .f32, [4, 6]) })
    }

    @Test("the same name comes first")
    func same() throws {
        #expect(try match("a.b.c", in: "a.b.c", "x.a.b.c", "b.c") == "a.b.c")
        #expect(try match("weight", in: "weight", "a.weight") == "weight")
    }

    @Test("a prefix more or less, on either side")
    func prefixes() throws {
        #expect(try match("encoder.q.weight", in: "bert.encoder.q.weight") == "bert.encoder.q.weight")
        #expect(try match("bert.encoder.q.weight", in: "encoder.q.weight") == "encoder.q.weight")
        #expect(try match("model.bert.encoder.q.weight", in: "encoder.q.weight") == "encoder.q.weight")
        #expect(try match("encoder.q.weight", in: "model.bert.encoder.q.weight") == "model.bert.encoder.q.weight")
        #expect(try match("roberta.encoder.q.weight", in: "bert.encoder.q.weight") == "bert.encoder.q.weight")
    }

    @Test("any number of components is a prefix, and one component is no name")
    func limits() throws {
        #expect(try match("q.weight", in: "a.b.c.q.weight") == "a.b.c.q.weight")
        #expect(try match("a.b.c.q.weight", in: "q.weight") == "q.weight")
        #expect(try match("x.weight", in: "y.weight") == nil)
        #expect(try match("weight", in: "a.weight") == nil)
        #expect(try match("a.weight", in: "weight") == nil)
    }

    @Test("what could be two tensors is neither")
    func ambiguity() throws {
        #expect(try match("q.weight", in: "a.q.weight", "b.q.weight") == nil)
        #expect(try match("a.q.weight", in: "x.a.q.weight", "b.q.weight") == "x.a.q.weight")
        let shapes: [(String, DType, [Int])] = [("a.q.weight", .f32, [4, 7]), ("b.q.weight", .f32, [4, 6])]
        #expect(try match("q.weight", in: shapes) == "b.q.weight")
    }

    @Test("dtype, rank and all extents but the first must fit")
    func fits() throws {
        func fits(_ dtype: DType, _ shape: [Int]) throws -> Bool { try match("t", in: [("t", dtype, shape)]) == "t" }
        #expect(try fits(.f32, [4, 6]) && fits(.bf16, [4, 6]) && fits(.f16, [4, 6]))
        #expect(try fits(.f32, [9, 6]) && fits(.f32, [1, 6]))
        #expect(try !fits(.f64, [4, 6]) && !fits(.i32, [4, 6]) && !fits(.f8E4M3, [4, 6]))
        #expect(try !fits(.f32, [4, 7]) && !fits(.f32, [24]) && !fits(.f32, [4, 6, 1]) && !fits(.f32, [0, 6]))
        #expect(try match("t", in: [("t", .f32, [])], .f32, []) == "t")
        #expect(try match("t", in: [("t", .i8, [3])], .u8, [3]) == nil)
    }

    @Test("the same name with another shape gives way to a prefixed one that fits")
    func sameNameOtherShape() throws {
        #expect(try match("a.b", in: [("a.b", .f32, [4, 7]), ("x.a.b", .f32, [4, 6])]) == "x.a.b")
    }

    @Test("output layers are tied to embeddings")
    func tied() throws {
        #expect(try match("lm_head.weight", in: "model.embed_tokens.weight") == "model.embed_tokens.weight")
        #expect(try match("lm_head.weight", in: "transformer.wte.weight") == "transformer.wte.weight")
        #expect(try match("model.lm_head.weight", in: "a.b.c.d.embed_tokens.weight") == "a.b.c.d.embed_tokens.weight")
        #expect(try match("lm_head.weight", in: "lm_head.weight", "embed_tokens.weight") == "lm_head.weight")
        #expect(
            try match("cls.predictions.decoder.weight", in: "bert.embeddings.word_embeddings.weight")
                == "bert.embeddings.word_embeddings.weight")
        #expect(try match("embed_out.weight", in: "gpt_neox.embed_in.weight") == "gpt_neox.embed_in.weight")
        #expect(try match("model.embed_tokens.weight", in: "lm_head.weight") == "lm_head.weight")
        #expect(try match("lm_head.weight", in: [("embed_tokens.weight", .f32, [24])], .f32, [24]) == nil)
        #expect(try match("my_lm_head.weight", in: "embed_tokens.weight") == nil)
        #expect(try match("lm_head.weight", in: "a.embed_tokens.weight", "b.embed_tokens.weight") == nil)
    }

    @Test("words that wrappers put into names are none, and old words are today's")
    func wrappers() throws {
        let name = "model.layers.0.self_attn.q_proj.weight"
        for found in [
            "_orig_mod.model.layers.0.self_attn.q_proj.weight", "model.layers.0._orig_mod.self_attn.q_proj.weight",
            "module.model.layers.0._checkpoint_wrapped_module.self_attn.q_proj.weight",
            "_fsdp_wrapped_module.model.layers.0._fsdp_wrapped_module.self_attn.q_proj.weight",
            "base_model.model.model.layers.0.self_attn.q_proj.weight",
        ] {
            #expect(try match(found, in: name, "model.layers.1.self_attn.q_proj.weight") == name)
            #expect(try match(name, in: found, "model.layers.1.self_attn.q_proj.weight") == found)
        }
        #expect(try match("a.LayerNorm.weight", in: "a.LayerNorm.gamma", "a.LayerNorm.beta") == "a.LayerNorm.gamma")
        #expect(try match("a.LayerNorm.beta", in: "a.LayerNorm.weight", "a.LayerNorm.bias") == "a.LayerNorm.bias")
    }

    @Test("of two that a prefix leads to, the one of the same shape is meant")
    func towers() throws {
        let names: [(String, DType, [Int])] = [("talker.norm.weight", .f32, [4]), ("thinker.norm.weight", .f32, [6])]
        #expect(try match("norm.weight", in: names, .f32, [6]) == "thinker.norm.weight")
    }

    @Test("ambiguous tensors are stored whole, and come back")
    func whole() throws {
        var generator = SeededGenerator(seed: 2)
        let tensor = try TestTensor("a.q.weight", .f32, [4, 6], using: &generator)
        let found = try scene.roundTrip([tensor, try tensor.named("b.q.weight")], [try tensor.named("q.weight")])
        #expect(found["q.weight"]?.kind == "whole" && found["q.weight"]?.base == nil)
    }
}
