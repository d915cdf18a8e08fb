@testable import SiltAdapters
import SceneSupport
import Safetensors
import TensorTypes
import TestSupport
import Testing

@Suite("The files of a merged model")
struct MergedLayoutTests {
    private let scene: AdapterScene

    init() throws { scene = try AdapterScene() }

    private func describe(_ layout: MergedLayout) -> [String: String] {
        Dictionary(
            layout.models.flatMap(\.tensors).map { tensor in
                switch tensor.source {
                case .base(let base): (tensor.name, "base \(base.name)")
                case .adapted(let base, let update): (tensor.name, "adapted \(base.name) \(update.target)")
                case .founded(let saved, let update, let base):
                    (tensor.name, "founded \(saved.target) \(base.name) \(update.target)")
                case .sparse(let base, let pair): (tensor.name, "sparse \(base.name) \(pair.target)")
                case .saved(let saved, let base): (tensor.name, "saved \(saved.target) \(base?.name ?? "-")")
                }
            }, uniquingKeysWith: { first, _ in first })
    }

    @Test("the same names keep the base's header")
    func sameNames() throws {
        let base = try scene.base([
            try AdapterScene.tensor("a.x.weight", [4, 4]), try AdapterScene.tensor("a.b", [3], .bf16),
        ])
        let adapter = try scene.adapter("", AdapterScene.pair("a.x", input: 4, output: 4, rank: 2))
        let layout = try MergedLayout(adapter, base: base)
        #expect(layout.models.map(\.path) == ["model.safetensors"])
        #expect(try layout.models[0].header.text == base.open("model.safetensors").header.text)
        #expect(describe(layout) == ["a.x.weight": "adapted a.x.weight a.x.weight", "a.b": "base a.b"])
        #expect(layout.others.map(\.path) == ["config.json"] && layout.matcher.naming.notes.isEmpty)
        #expect(layout.models[0].bytes == scene.directory.read("base/model.safetensors")?.count)
    }

    @Test("tensors take the adapter's leading components; new ones come into the last file; the index follows")
    func renamed() throws {
        try scene.scene.write([try AdapterScene.tensor("a.x.weight", [4, 4], .bf16)], to: "base/model-1.safetensors")
        try scene.scene.write([try AdapterScene.tensor("n.weight", [4], .bf16)], to: "base/model-2.safetensors")
        try scene.scene.write([try AdapterScene.tensor("z", [4])], to: "base/extra.safetensors")
        let index = """
            {"metadata": {"total_size": 40, "more": "kept"}, \
            "weight_map": {"a.x.weight": "model-1.safetensors", "n.weight": "model-2.safetensors"}}
            """
        try scene.directory.write(Array(index.utf8), to: "base/model.safetensors.index.json")
        let base = try Checkpoint(base: scene.directory("base"))
        var tensors = try AdapterScene.pair("bert.a.x", input: 4, output: 4, rank: 2)
        tensors.append(try AdapterScene.tensor("base_model.model.classifier.weight", [2, 4]))
        let adapter = try scene.adapter(", \"modules_to_save\": [\"classifier\"]", tensors)
        let layout = try MergedLayout(adapter, base: base)
        #expect(layout.matcher.naming.around == "bert." && layout.matcher.naming.notes.count == 1)
        #expect(
            describe(layout) == [
                "bert.a.x.weight": "adapted a.x.weight bert.a.x.weight", "bert.n.weight": "base n.weight",
                "classifier.weight": "saved classifier.weight -",
            ])
        #expect(layout.models.map { $0.tensors.count } == [1, 2])
        #expect(layout.models[1].tensors[0].info.dtype == .f32 && layout.models[1].tensors[1].info.dtype == .bf16)
        #expect(layout.others.map(\.path) == ["extra.safetensors", "model.safetensors.index.json"])
        guard case .text(_, let text) = layout.others[1] else {
            Issue.record("the index is not written anew")
            return
        }
        let json = try JSONValue(parsing: text)
        #expect(json["metadata"]?["total_size"] == .integer(72) && json["metadata"]?["more"] == .string("kept"))
        #expect(
            json["weight_map"]
                == .members([
                    "bert.a.x.weight": .string("model-1.safetensors"), "bert.n.weight": .string("model-2.safetensors"),
                    "classifier.weight": .string("model-2.safetensors"),
                ]))
    }

    @Test("the names stay the base's if nothing that is new says otherwise")
    func baseNames() throws {
        let base = try scene.base([try AdapterScene.tensor("a.x.weight", [4, 4])])
        var tensors = try AdapterScene.pair("outer.a.x", input: 4, output: 4, rank: 2)
        #expect(try describe(MergedLayout(scene.adapter("", tensors), base: base)).keys.sorted() == ["a.x.weight"])
        tensors.append(try AdapterScene.tensor("base_model.model.outer.head.weight", [2, 4]))
        let adapter = try scene.adapter(", \"modules_to_save\": [\"head\"]", tensors)
        #expect(try describe(MergedLayout(adapter, base: base)).keys.sorted() == ["a.x.weight", "head.weight"])
    }

    @Test("a single file as the base")
    func singleFile() throws {
        try scene.scene.write([try AdapterScene.tensor("x.weight", [4, 4])], to: "one.safetensors")
        let adapter = try scene.adapter("", AdapterScene.pair("x", input: 4, output: 4, rank: 2))
        let layout = try MergedLayout(adapter, base: Checkpoint(base: scene.directory("one.safetensors")))
        #expect(layout.form == .file && layout.models.map(\.path) == ["one.safetensors"] && layout.others.isEmpty)
    }
}
