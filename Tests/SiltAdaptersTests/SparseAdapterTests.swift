import SceneSupport
@testable import SiltAdapters
import Safetensors
import TensorTypes
import TestSupport
import Testing

@Suite("SHiRA adapters")
struct SparseAdapterTests {
    private let scene: AdapterScene

    init() throws { scene = try AdapterScene() }

    private func pair(_ places: [Float], _ dtype: DType = .i32) throws -> [TestTensor] {
        let count = places.count / 2
        return [
            try AdapterScene.tensor("base_model.model.m.x.shira_weight", [count]),
            try TestTensor(
                "base_model.model.m.x.shira_indices", dtype, [2, count], AdapterScene.patterns(places, dtype)),
        ]
    }

    private func update(_ tensors: [TestTensor]) throws -> SparseUpdate {
        let base = try scene.base([try AdapterScene.tensor("x.weight", [3, 4])])
        let matcher = try AdapterMatcher(scene.adapter("", tensors, kind: "SHIRA"), base: base)
        #expect(matcher.naming == AdapterNaming([.init(from: "m.", to: "")]))
        return try #require(matcher.sparse["x.weight"]).update(shape: [3, 4])
    }

    @Test("values come in the order of their positions", arguments: [DType.i32, .f32])
    func reading(dtype: DType) throws {
        let update = try update(pair([2, 0, 1, /* columns */ 3, 1, 0], dtype))
        #expect(update.positions == [1, 4, 11] && update.scale == 1 && update.target == "m.x.weight")
        #expect(AdapterScene.values(update.values) == [-2.875, -2.75, -3])
    }

    @Test(
        "positions that are none",
        arguments: [[3, 0, 0, 0], [0, 0, 4, 0], [-1, 0, 0, 0], [1, 1, 2, 2]] as [[Float]])
    func positions(places: [Float]) throws {
        let tensors = try pair(places)
        let error = failure { _ = try update(tensors) }
        #expect(error?.code == .header && error?.tensor == "base_model.model.m.x.shira_indices")
    }

    @Test("indices of another length, and more values than the matrix has")
    func shapes() throws {
        var tensors = try pair([0, 1, 0, 1])
        tensors[0] = try AdapterScene.tensor(tensors[0].name, [3])
        #expect(code { _ = try update(tensors) } == .header)
        let many = try pair(Array(repeating: 0, count: 26))
        #expect(code { _ = try update(many) } == .baseShape)
    }

    @Test("what is written can be read, with zeros where PEFT wants more values")
    func writing() throws {
        let values = AdapterScene.patterns([1, 2, 3], .f32)
        let update = SparseUpdate(
            target: "m.x.weight", shape: [3, 6], positions: [0, 2, 17], dtype: .f32, values: values, scale: 1)
        try SparseAdapterExport.write([update], baseModel: "base", to: scene.directory("out"))
        let adapter = try Adapter(directory: scene.directory("out"))
        #expect(adapter.configuration.kind == .shira && adapter.configuration.rank == 1)
        let back = try #require(adapter.sparse.first).update(shape: [3, 6])
        // r = 1 makes room for 3 + 6 values.
        #expect(back.positions == [0, 1, 2, 3, 4, 5, 6, 7, 17])
        #expect(AdapterScene.values(back.values) == [1, 0, 2, 0, 0, 0, 0, 0, 3])
        let full = SparseUpdate(
            target: "y.weight", shape: [2, 2], positions: [0], dtype: .f32, values: [0, 0, 0, 0], scale: 1)
        try SparseAdapterExport.write([full], baseModel: nil, to: scene.directory("full"))
        let large = SparseUpdate(
            target: "z.weight", shape: [9, 9], positions: Array(0..<19), dtype: .bf16,
            values: Array(repeating: 0, count: 38), scale: 1)
        #expect(
            code { try SparseAdapterExport.write([large, full], baseModel: nil, to: scene.directory("no")) } == .usage)
    }
}
