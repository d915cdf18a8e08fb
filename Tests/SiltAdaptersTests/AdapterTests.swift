@testable import SiltAdapters
import SceneSupport
import Safetensors
import TensorTypes
import TestSupport
import Testing

@Suite("Reading an adapter")
struct AdapterTests {
    private let scene: AdapterScene

    init() throws { scene = try AdapterScene() }

    @Test("plain LoRA")
    func plain() throws {
        let tensors = try AdapterScene.pair("bert.a.query", input: 5, output: 3, rank: 2)
        let adapter = try scene.adapter("", tensors)
        #expect(adapter.pairs.map(\.target) == ["bert.a.query.weight"])
        #expect(adapter.pairs[0].rank == 2 && adapter.pairs[0].scale == 2 && !adapter.pairs[0].isEmbedding)
        #expect(adapter.saved.isEmpty && adapter.sparse.isEmpty && adapter.ignored.isEmpty)
    }

    @Test(
        "every way in which versions of PEFT have written names",
        arguments: [
            ("lora_A.weight", "lora_B.weight", false), ("lora_A.default.weight", "lora_B.default.weight", false),
            ("lora_embedding_A", "lora_embedding_B", true),
            ("lora_embedding_A.default", "lora_embedding_B.default", true),
            ("lora_embedding_A.weight", "lora_embedding_B.weight", true),
            ("lora_embedding_A.default.weight", "lora_embedding_B.default.weight", true),
        ])
    func names(first: String, second: String, isEmbedding: Bool) throws {
        let adapter = try scene.adapter(
            "",
            [
                try AdapterScene.tensor("base_model.model.x.\(first)", [2, 6]),
                try AdapterScene.tensor("base_model.model.x.\(second)", [4, 2]),
            ])
        #expect(adapter.pairs.map(\.target) == ["x.weight"] && adapter.pairs[0].isEmbedding == isEmbedding)
    }

    @Test("whole tensors, with and without the words of wrappers")
    func saved() throws {
        let names = [
            "a.classifier.weight", "b.classifier.modules_to_save.weight", "c.classifier.modules_to_save.default.weight",
            "d.q.base_layer.bias", "e.classifier.original_module.weight", "f.classifier.out.weight",
            "f.classifier.modules_to_save.out.weight",
        ]
        let text = "{\"peft_type\": \"LORA\", \"bias\": \"lora_only\", \"modules_to_save\": [\"classifier\"]}"
        let adapter = try scene.adapter(
            config: text, names.map { try AdapterScene.tensor("base_model.model." + $0, [2, 2]) })
        #expect(
            adapter.saved.map(\.target) == [
                "a.classifier.weight", "b.classifier.weight", "c.classifier.weight", "d.q.bias",
                "f.classifier.out.weight",
            ])
        #expect(adapter.saved.allSatisfy { $0.isDeclared })
        #expect(adapter.saved[4].entry.name == "base_model.model.f.classifier.out.weight" && adapter.ignored.count == 2)
    }

    @Test("what is wrong with a tensor is said with its name")
    func refusals() throws {
        func refuse(
            _ expected: SiltError.Code, _ name: String, _ tensors: [(String, [Int], DType)],
            _ location: SourceLocation = #_sourceLocation
        ) throws {
            let error = failure {
                _ = try scene.adapter(
                    "", tensors.map { try AdapterScene.tensor("base_model.model." + $0.0, $0.1, $0.2) })
            }
            #expect(error?.code == expected, "\(error?.description ?? "")", sourceLocation: location)
            #expect(error?.tensor == "base_model.model." + name, sourceLocation: location)
        }
        let (a, b) = ("x.lora_A.weight", "x.lora_B.weight")
        try refuse(.header, a, [(a, [2, 4], .f32)])
        try refuse(.header, b, [(b, [4, 2], .f32)])
        try refuse(.header, a, [(a, [3, 4], .f32), (b, [4, 3], .f32)])
        try refuse(.header, b, [(a, [2, 4], .f32), (b, [4, 3], .f32)])
        try refuse(.header, a, [(a, [8], .f32), (b, [4, 2], .f32)])
        try refuse(.header, b, [(a, [2, 4, 1, 1], .f32), (b, [4, 2, 3, 3], .f32)])
        try refuse(.header, a, [(a, [2, 1], .f32), (b, [1, 2], .f32)])
        try refuse(.header, a, [(a, [2, 4], .i16), (b, [4, 2], .f32)])
        try refuse(
            .header, "x.lora_A.weight",
            [
                (a, [2, 4], .f32), (b, [4, 2], .f32), ("x.lora_embedding_A", [2, 4], .f32),
                ("x.lora_embedding_B", [4, 2], .f32),
            ])
        try refuse(.usage, "x.lora_magnitude_vector", [("x.lora_magnitude_vector", [4], .f32)])
        try refuse(.usage, "x.lora_B.bias", [("x.lora_B.bias", [4], .f32)])
        try refuse(.header, "x.shira_weight", [("x.shira_weight", [4], .f32), ("x.shira_indices", [2, 4], .i32)])
        #expect(code { _ = try scene.adapter("", []) } == .header)
    }

    @Test("two adapters in one file")
    func twice() throws {
        let names = ["x.lora_A.weight", "x.lora_A.other.weight", "x.lora_B.weight"]
        let tensors = try names.map { try AdapterScene.tensor("base_model.model." + $0, [2, 2]) }
        #expect(code { _ = try scene.adapter("", tensors) } == .header)
    }

    @Test("values that are not finite", arguments: [DType.f32, .bf16, .f16])
    func finite(dtype: DType) throws {
        for value in [Float.infinity, -.infinity, .nan] {
            var tensors = try AdapterScene.pair("x", input: 4, output: 4, rank: 2, dtype)
            let width = dtype.elementBytes
            tensors[0].bytes.replaceSubrange(
                5 * width..<6 * width, with: AdapterScene.patterns([value], dtype))
            let adapter = try scene.adapter("", tensors)
            let base = try scene.base([try AdapterScene.tensor("x.weight", [4, 4])])
            let update = try #require(try AdapterMatcher(adapter, base: base).updates["x.weight"])
            let error = failure { _ = try update.right.patterns() }
            #expect(error?.code == .header && error?.tensor == "base_model.model.x.lora_A.weight")
            #expect(error?.message.contains("value 5") == true)
            #expect(try update.left.patterns().count == 8 * width)
        }
    }

    @Test("what is not there")
    func missing() throws {
        #expect(code { _ = try Adapter(directory: scene.directory("none")) } == .inputMissing)
        try scene.directory.write([1], to: "file")
        #expect(code { _ = try Adapter(directory: scene.directory("file")) } == .inputMissing)
        try scene.directory.makeDirectory("empty")
        #expect(code { _ = try Adapter(directory: scene.directory("empty")) } == .inputMissing)
        try scene.directory.write(Array("{\"peft_type\": \"LORA\"}".utf8), to: "empty/adapter_config.json")
        try scene.directory.write([1], to: "empty/adapter_model.bin")
        let error = failure { _ = try Adapter(directory: scene.directory("empty")) }
        #expect(error?.code == .inputMissing && error?.advice?.contains("safetensors") == true)
    }
}
