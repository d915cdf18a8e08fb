@testable import SiltAdapters
import SceneSupport
import Safetensors
import TensorTypes
import TestSupport
import Testing

@Suite("Writing an adapter")
struct AdapterExportTests {
    private let scene: AdapterScene

    init() throws { scene = try AdapterScene() }

    @Test("what was written is read back")
    func roundTrip() throws {
        var builder = AdapterConfigurationBuilder()
        builder.modules = [.init(path: "a.x", rank: 2), .init(path: "b.a.x", rank: 3), .init(path: "c", rank: 3)]
        builder.modulesToSave = ["head"]
        builder.baseModel = "base"
        var tensors = try AdapterScene.pair("a.x", input: 5, output: 3, rank: 2)
        tensors += try AdapterScene.pair("b.a.x", input: 5, output: 3, rank: 3)
        tensors += try AdapterScene.pair("c", input: 5, output: 3, rank: 3, .bf16)
        tensors.append(try AdapterScene.tensor("base_model.model.head.weight", [2, 2]))
        let output = scene.directory("out")
        // In pieces of odd sizes.
        try AdapterExport.write(
            config: builder.text,
            tensors: tensors.map { tensor in
                AdapterExport.Tensor(tensor.name, tensor.info) { (sink) throws(SiltError) in
                    for start in stride(from: 0, to: tensor.bytes.count, by: 7) {
                        try sink(Array(tensor.bytes[start..<min(tensor.bytes.count, start + 7)]))
                    }
                }
            }, to: output)
        let adapter = try Adapter(directory: output)
        #expect(adapter.pairs.map(\.target) == ["a.x.weight", "b.a.x.weight", "c.weight"])
        #expect(adapter.pairs.map(\.rank) == [2, 3, 3] && adapter.pairs.allSatisfy { $0.scale == 1 })
        #expect(adapter.saved.map(\.target) == ["head.weight"] && adapter.configuration.baseModel == "base")
        for tensor in tensors { #expect(try adapter.file.bytes(of: tensor.name) == tensor.bytes) }
        #expect(adapter.configuration.text == builder.text)
    }

    @Test("a rank that is not the commonest is tied to its module")
    func patterns() throws {
        var builder = AdapterConfigurationBuilder()
        builder.modules = [.init(path: "x", rank: 2), .init(path: "a.x", rank: 3), .init(path: "y", rank: 3)]
        let configuration = try AdapterConfiguration(bytes: Array(builder.text.utf8), path: "")
        #expect(configuration.rank(of: "x") == 2 && configuration.rank(of: "a.x") == 3 && configuration.rank == 3)
    }

    @Test("an output that exists stays, unless it is an adapter that may give way")
    func replacing() throws {
        let output = scene.directory("out")
        func write(_ replacing: Bool) throws {
            try AdapterExport.write(config: "{}", tensors: [], to: output, replacing: replacing)
        }
        try write(false)
        #expect(code { try write(false) } == .cannotCreate)
        try write(true)
        try scene.directory.write([1], to: "out/other")
        #expect(code { try write(true) } == .cannotCreate)
    }

    @Test("tensors that are too short or too long leave nothing behind", arguments: [3, 5])
    func sizes(count: Int) throws {
        let info = try #require(TensorInfo(dtype: .u8, shape: [4]))
        let tensor = AdapterExport.Tensor("x", info, bytes: { [UInt8](repeating: 0, count: count) })
        #expect(
            code { try AdapterExport.write(config: "{}", tensors: [tensor], to: scene.directory("out")) } == .usage)
        #expect(scene.directory.names.isEmpty)
    }

    @Test("styles of modules, and the tensors that they have")
    func styles() {
        typealias Style = AdapterModuleStyle
        #expect(Style(of: "m.q_proj.weight", shape: [4, 4], family: "llama") == .linear)
        #expect(Style(of: "h.0.attn.c_attn.weight", shape: [4, 12], family: "gpt2") == .turnedLinear)
        #expect(Style(of: "h.0.attn.c_attn.weight", shape: [4, 12], family: "gpt_bigcode") == .linear)
        #expect(Style(of: "e.word_embeddings.weight", shape: [9, 4], family: nil) == .embedding)
        #expect(Style(of: "c.weight", shape: [4, 3, 2, 2], family: nil) == .convolution)
        #expect(Style(of: "q.bias", shape: [4, 4], family: nil) == nil)
        #expect(Style(of: "norm.weight", shape: [4], family: nil) == nil)
        let tensors = Style.convolution.tensors(of: "c.weight", shape: [4, 3, 2, 2], rank: 5)
        #expect(tensors.map(\.name) == ["base_model.model.c.lora_A.weight", "base_model.model.c.lora_B.weight"])
        #expect(tensors.map(\.shape) == [[5, 3, 2, 2], [4, 5, 1, 1]])
        let embedding = Style.embedding.tensors(of: "e.weight", shape: [9, 4], rank: 2)
        #expect(embedding.map(\.shape) == [[2, 9], [4, 2]] && embedding.map(\.isLeft) == [true, false])
    }
}
