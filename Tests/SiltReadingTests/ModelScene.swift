import ByteSources
import Safetensors
import SceneSupport
import SiltFormat
import SiltPacking
import SiltReading
import Synchronization
import TensorTypes
import TestSupport
import Testing
import Workers

/// A sharded base, its fine-tune with gained rows, new tensors and files of its own, and a Silt file between the two.
struct ModelScene: Sendable {
    /// How the fine-tune is packed.
    enum Method: String, CaseIterable, Sendable { case exact, random, transform, zstd }

    let scene: Scene
    /// The rebuilt files, as unpacking writes them.
    let files: [String: [UInt8]]

    private static let made = Mutex<[Method: ModelScene]>([:])

    /// The scene of a method, made once: nobody changes it.
    static func of(_ method: Method) throws -> ModelScene {
        try made.withLock { made in
            if let scene = made[method] { return scene }
            let scene = try ModelScene(method)
            made[method] = scene
            return scene
        }
    }

    private init(_ method: Method) throws {
        scene = try Scene()
        var generator = SeededGenerator(seed: 11)
        // Three cells and a part of one; rows that do not divide a cell; a vector; integers.
        let wide = try TestTensor(
            "a.wide", .bf16, [2_100, 400], try ModelScene.weights(.bf16, 840_000, &generator))
        let grown = try TestTensor(
            "b.grown", .f32, [300, 700], try ModelScene.weights(.f32, 210_000, &generator))
        let norm = try TestTensor("c.norm", .bf16, [400], try ModelScene.weights(.bf16, 400, &generator))
        let ids = try TestTensor("d.ids", .i64, [1, 512], using: &generator)
        let index = { (names: [(String, String)]) in
            let map = JSONValue.object(names.map { .init($0.0, .string($0.1)) })
            return JSONValue.members(["metadata": .object([]), "weight_map": map]).serialized(pretty: true)
        }
        try scene.directory.makeDirectory("base")
        try scene.directory.makeDirectory("result")
        let (one, two) = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
        try scene.write([wide, norm], to: "base/" + one)
        try scene.write([grown, ids], to: "base/" + two)
        let names = [("a.wide", one), ("c.norm", one), ("b.grown", two), ("d.ids", two)]
        try scene.directory.write(index(names), to: "base/model.safetensors.index.json")
        try scene.directory.write(generator.bytes(3_000_000), to: "base/tokenizer.bin")
        var more = grown.bytes
        more += try ModelScene.weights(.f32, 70_000, &generator).bytes
        let result = [
            ModelScene.tuned(wide, using: &generator), ModelScene.tuned(norm, using: &generator),
            ModelScene.tuned(try TestTensor("b.grown", .f32, [400, 700], more), using: &generator), ids,
            try TestTensor("e.new", .f16, [70, 33], using: &generator),
        ]
        try scene.write([result[0], result[1], result[4]], to: "result/" + one)
        try scene.write([result[2], result[3]], to: "result/" + two)
        try scene.directory.write(index(names + [("e.new", one)]), to: "result/model.safetensors.index.json")
        try scene.directory.write(scene.directory.read("base/tokenizer.bin") ?? [], to: "result/tokenizer.bin")
        try scene.directory.write(generator.bytes(1_300_000), to: "result/extra.bin")
        var options = PackOptions()
        switch method {
        case .exact: break
        case .zstd: options.codec = .zstd
        case .random, .transform:
            options.lossy = LossyOptions()
            options.lossy?.method = method == .random ? .random : .transform
        }
        _ = try Packer(WorkContext(log: scene.log), options).pack(
            base: scene.directory("base"), fineTuned: scene.directory("result"), to: scene.directory("m.silt"))
        try scene.unpack("base", "m.silt", to: "back")
        let tree = try LocalTree(scene.directory("back"))
        var files: [String: [UInt8]] = [:]
        for file in tree.files { files[file] = try tree.open(file).bytes(0..<tree.open(file).size) }
        self.files = files
    }

    private static func weights(_ dtype: DType, _ count: Int, _ generator: inout SeededGenerator) throws -> BitPatterns
    {
        BitPatterns(.weights, try #require(dtype.floatLayout), count: count, using: &generator)
    }

    /// A tensor whose every element moved by a few steps, as fine-tuning does.
    private static func tuned(_ tensor: TestTensor, using generator: inout SeededGenerator) -> TestTensor {
        var copy = tensor
        let width = tensor.info.dtype.elementBytes
        for index in stride(from: 0, to: copy.bytes.count, by: width) {
            copy.bytes[index] ^= UInt8(truncatingIfNeeded: generator.next()) & 0x07
        }
        return copy
    }

    var base: LocalTree { get throws { try LocalTree(scene.directory("base")) } }
    var silt: LocalFile { get throws { try LocalFile(scene.directory("m.silt")) } }

    /// The model, of a base and a Silt file from anywhere.
    func model(_ base: any FileTree, _ silt: any ByteSource) throws -> SiltModel {
        try SiltFile(ContainerReader(silt)).over(Checkpoint(base))
    }

    /// Random ranges of a file: most of them short, some long, some at the ends.
    static func ranges(_ count: Int, of size: Int, seed: UInt64) -> [Range<Int>] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { number in
            let length = min(size, number % 40 == 3 ? 1 << 20 : [1, 7, 64, 4_096, 40_000][generator.below(5)])
            let start = number % 17 == 0 ? 0 : number % 19 == 0 ? size - length : generator.below(size - length + 1)
            return start..<start + length
        }
    }
}
