import SiltPacking
import TensorTypes
import Testing

@Suite("Which tensors a lossy method takes")
struct TensorPolicyTests {
    private static let query = "bert.encoder.layer.0.attention.self.query.weight"
    private static let bias = "bert.encoder.layer.0.attention.self.query.bias"
    private static let norm = "model.layers.3.input_layernorm.weight"

    private func fate(
        _ name: String, _ shape: [Int], _ dtype: DType = .bf16, corrected: Set<String> = [],
        _ change: (inout LossyOptions) -> Void = { _ in }
    ) throws -> TensorPolicy.Fate {
        var options = LossyOptions()
        change(&options)
        return try TensorPolicy(options, corrected: corrected)
            .fate(name, #require(TensorInfo(dtype: dtype, shape: shape)))
    }

    @Test("the matrices of layers are the method's, and nothing else is by default")
    func usual() throws {
        #expect(try fate(Self.query, [16, 8]) == .method)
        #expect(try fate("model.layers.0.mlp.experts.weight", [4, 8, 8]) == .method)
        for (name, shape) in [
            (Self.bias, [8]), (Self.norm, [8]), ("scale", []), ("model.embed_tokens.weight", [32, 8]),
            ("bert.embeddings.position_embeddings.weight", [32, 8]), ("transformer.wte.weight", [32, 8]),
            ("lm_head.weight", [32, 8]), ("classifier.weight", [2, 8]), ("classifier.out_proj.weight", [2, 8]),
            ("pre_classifier.weight", [8, 8]),
        ] {
            #expect(try fate(name, shape) == .exact, "\(name)")
        }
    }

    @Test("only types with a delta are taken", arguments: DType.allCases)
    func types(dtype: DType) throws {
        let isTaken = dtype == .f32 || dtype == .f16 || dtype == .bf16
        #expect(try fate(Self.query, [16, 8], dtype) == (isTaken ? .method : .exact))
        #expect(try fate(Self.bias, [8], dtype) { $0.vectors = .f16 } == (isTaken ? .vector(.f16) : .exact))
    }

    @Test("shapes over the format's limits stay exact, and so does nothing at all")
    func shapes() throws {
        #expect(try fate(Self.query, [2, 262_144]) == .method)
        #expect(try fate(Self.query, [2, 262_145]) == .exact)
        #expect(try fate(Self.query, [0, 8]) == .exact && fate(Self.bias, [0]) == .exact)
        // Factors have a column for each row.
        for method in LossyOptions.Method.allCases {
            let isProduct = method == .lowrank || method == .transform
            #expect(try fate(Self.query, [262_145, 2]) { $0.method = method } == (isProduct ? .exact : .method))
            #expect(try fate(Self.query, [262_144, 2]) { $0.method = method } == .method)
        }
    }

    @Test("vectors are what their option says", arguments: LossyOptions.Vectors.allCases)
    func vectors(choice: LossyOptions.Vectors) throws {
        let wanted: TensorPolicy.Fate =
            switch choice {
            case .exact: .exact
            case .int4: .vector(.int4)
            case .f16: .vector(.f16)
            case .drop: .dropped
            case .method: .integers
            }
        for name in [Self.bias, Self.norm] {
            #expect(try fate(name, [8]) { ($0.method, $0.vectors) = (.transform, choice) } == wanted)
        }
        #expect(try fate("scale", []) { ($0.method, $0.vectors) = (.transform, choice) } == wanted)
        // Matrices are none.
        #expect(try fate(Self.query, [16, 8]) { ($0.method, $0.vectors) = (.transform, choice) } == .method)
    }

    @Test("a bias that takes an error in is stored, whatever becomes of the others")
    func corrected() throws {
        let corrected: Set<String> = [Self.bias]
        func fate(_ vectors: LossyOptions.Vectors) throws -> TensorPolicy.Fate {
            try self.fate(Self.bias, [8], corrected: corrected) { $0.vectors = vectors }
        }
        #expect(try fate(.exact) == .vector(.f16) && fate(.drop) == .vector(.int4))
        #expect(try fate(.f16) == .vector(.f16) && fate(.int4) == .vector(.int4))
        #expect(try self.fate(Self.norm, [8], corrected: corrected) { $0.vectors = .drop } == .dropped)
    }

    @Test("embeddings are what their option says", arguments: LossyOptions.Embeddings.allCases)
    func embeddings(choice: LossyOptions.Embeddings) throws {
        let wanted: TensorPolicy.Fate =
            switch choice {
            case .exact: .exact
            case .method: .method
            case .drop: .dropped
            }
        for name in [
            "model.embed_tokens.weight", "bert.embeddings.word_embeddings.weight", "gpt_neox.embed_in.weight",
            "transformer.wpe.weight", "shared.weight", "tok_embeddings.weight",
        ] {
            #expect(try fate(name, [32, 8]) { $0.embeddings = choice } == wanted, "\(name)")
        }
        // What only lies beside embeddings is none.
        #expect(try fate("bert.embeddings.LayerNorm.weight", [8]) { $0.embeddings = choice } == .exact)
        #expect(try fate("bert.embeddings.positions", [8, 8]) { $0.embeddings = choice } == .exact)
        #expect(try fate("model.embed_tokens.projection.weight", [8, 8]) { $0.embeddings = choice } == .method)
    }

    @Test("heads are what their option says, their biases with them", arguments: LossyOptions.Heads.allCases)
    func heads(choice: LossyOptions.Heads) throws {
        for name in ["lm_head.weight", "score.weight", "cls.predictions.decoder.weight", "qa_outputs.weight"] {
            #expect(try fate(name, [32, 8]) { $0.heads = choice } == (choice == .exact ? .exact : .method), "\(name)")
        }
        let bias = try fate("classifier.bias", [2]) { ($0.heads, $0.vectors) = (choice, .int4) }
        #expect(bias == (choice == .exact ? .exact : .vector(.int4)))
        // Words count as a whole: a header is no head.
        #expect(try fate("model.header.weight", [8, 8]) { $0.heads = choice } == .method)
    }

    @Test("a pattern takes what it names, heads and embeddings too, and leaves the rest alone")
    func only() throws {
        func fate(_ name: String, _ shape: [Int]) throws -> TensorPolicy.Fate {
            try self.fate(name, shape) { ($0.only, $0.vectors) = ("query|classifier|embed_tokens", .int4) }
        }
        #expect(try fate(Self.query, [16, 8]) == .method && fate("classifier.weight", [2, 8]) == .method)
        #expect(try fate("model.embed_tokens.weight", [32, 8]) == .method)
        #expect(try fate("bert.encoder.layer.0.attention.self.key.weight", [16, 8]) == .exact)
        #expect(try fate(Self.bias, [8]) == .vector(.int4) && fate("classifier.bias", [2]) == .vector(.int4))
        #expect(try fate(Self.norm, [8]) == .exact)
    }

    @Test("what is excepted stays exact, even where another pattern names it")
    func except() throws {
        #expect(try fate(Self.query, [16, 8]) { $0.except = "query" } == .exact)
        #expect(try fate(Self.query, [16, 8]) { ($0.only, $0.except) = ("layer.0", "query") } == .exact)
        #expect(try fate(Self.query, [16, 8]) { $0.except = "key" } == .method)
        #expect(try fate(Self.bias, [8]) { ($0.vectors, $0.except) = (.drop, "bias$") } == .exact)
    }

    @Test("a pattern that is no regular expression is refused")
    func patterns() {
        for change: (inout LossyOptions) -> Void in [{ $0.only = "(" }, { $0.except = "[" }] {
            var options = LossyOptions()
            change(&options)
            let error = #expect(throws: SiltError.self) { try TensorPolicy(options) }
            #expect(error?.code == .usage)
        }
    }
}
