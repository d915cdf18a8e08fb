import SceneSupport
@testable import SiltInterop
@testable import Workers
import Logging
import Safetensors
import TensorTypes
import TestSupport
import Testing

/// Checkpoints that compressed-tensors 0.10.2 wrote (Tests/Peers/make_fixtures.py).
@Suite("The sparse layouts of compressed-tensors")
struct InteropSparseTests {
    private let directory: TemporaryDirectory
    private let converter = SparseBitmask(WorkContext(log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))

    init() throws { directory = try TemporaryDirectory() }

    private func path(_ layout: SparseLayout, _ form: String) -> String {
        Repository.path("Tests/Data/peers/\(layout.rawValue)/\(form)")
    }

    private func tensors(_ path: String) throws -> [String: [UInt8]] {
        let file = try SafetensorsFile(path + "/model.safetensors")
        var result: [String: [UInt8]] = [:]
        for entry in file.header.entries {
            result["\(entry.name) \(entry.info.description)"] = try file.bytes(of: entry.name)
        }
        return result
    }

    /// compressed-tensors drops the signs of zeros.
    private func signless(_ tensors: [String: [UInt8]]) -> [String: [UInt8]] {
        Dictionary(
            uniqueKeysWithValues: tensors.map { name, bytes in
                let width = name.contains("BF16") ? 2 : 4
                var bytes = bytes
                for start in stride(from: 0, to: bytes.count, by: width)
                where bytes[start + width - 1] == 0x80 && bytes[start..<start + width - 1].allSatisfy({ $0 == 0 }) {
                    bytes[start + width - 1] = 0
                }
                return (name, bytes)
            })
    }

    @Test("sparse to dense", arguments: SparseLayout.allCases)
    func decompress(layout: SparseLayout) throws {
        let report = try converter.decompress(path(layout, "sparse"), to: directory("out"))
        #expect(report.converted == 2 && report.files == 2)
        #expect(try tensors(directory("out")) == signless(tensors(path(layout, "dense"))))
        let config = try JSONValue(parsing: #require(directory.read("out/config.json")))
        #expect(config["quantization_config"] == nil && config["rms_norm_eps"] == .number(1e-05))
    }

    @Test("dense to sparse gives what compressed-tensors gives", arguments: SparseLayout.allCases)
    func compress(layout: SparseLayout) throws {
        let report = try converter.compress(path(layout, "dense"), layout, to: directory("out"))
        #expect(report.converted == 2 && report.negativeZeros == (layout == .bitmask ? 6 : 0))
        #expect(try tensors(directory("out")) == tensors(path(layout, "sparse")))
        let config = try JSONValue(parsing: #require(directory.read("out/config.json")))
        let sparsity = config["quantization_config"]?["sparsity_config"]
        #expect(sparsity?["format"] == .string(layout.rawValue))
        #expect(
            sparsity?["targets"]
                == .array(["model.layers.0.up_proj", "model.layers.1.up_proj"].map { .string($0) }))
        try PeerCopies.keep(directory("out"), as: layout.rawValue)
        try converter.decompress(directory("out"), to: directory("back")).check(converted: 2)
        #expect(try tensors(directory("back")) == signless(tensors(path(layout, "dense"))))
    }

    @Test("-0 and NaN are kept; shards and other files too")
    func special() throws {
        let scene = try Scene()
        var bytes = [UInt8](repeating: 0, count: 2 * 16 * 16)
        bytes[1] = 0x80
        bytes[33] = 0x7F
        bytes[32] = 0xC1
        let weight = try TestTensor("x.weight", .bf16, [16, 16], bytes)
        try scene.write([weight], to: "dense/model-1.safetensors")
        try scene.write([try TestTensor("y.bias", .f32, [1], [1, 2, 3, 4])], to: "dense/model-2.safetensors")
        let index =
            "{\"metadata\": {}, \"weight_map\": {\"x.weight\": \"model-1.safetensors\", \"y.bias\": \"model-2.safetensors\"}}"
        try scene.directory.write(Array(index.utf8), to: "dense/model.safetensors.index.json")
        try scene.directory.write(Array("{}".utf8), to: "dense/config.json")
        try scene.directory.write([7], to: "dense/sub/other")
        var converter = converter
        converter.keepsNegativeZeros = true
        _ = try converter.compress(scene.directory("dense"), .bitmask, to: scene.directory("sparse"))
        let sparse = try Checkpoint(at: scene.directory("sparse"))
        #expect(sparse.tensors.map(\.name) == ["x.bitmask", "x.compressed", "x.row_offsets", "x.shape", "y.bias"])
        #expect(sparse["x.compressed"]?.info.shape == [2])
        _ = try converter.decompress(scene.directory("sparse"), to: scene.directory("back"))
        #expect(scene.directory.read("back/model-2.safetensors") == scene.directory.read("dense/model-2.safetensors"))
        #expect(try Checkpoint(at: scene.directory("back"))["x.weight"]?.bytes(0..<512) == bytes)
        #expect(scene.directory.read("back/sub/other") == [7])
    }

    @Test("what cannot be converted")
    func refusals() throws {
        let dense = path(.bitmask, "dense"), sparse = path(.bitmask, "sparse")
        #expect(code { _ = try converter.decompress(dense, to: directory("out")) } == .usage)
        #expect(code { _ = try converter.compress(sparse, .bitmask, to: directory("out")) } == .usage)
        #expect(code { _ = try converter.compress(dense, .twoOfFour, to: directory("out")) } == .usage)
        #expect(code { _ = try converter.decompress(dense + "/model.safetensors", to: directory("out")) } == .usage)
        try directory.makeDirectory("taken")
        #expect(code { _ = try converter.decompress(sparse, to: directory("taken")) } == .cannotCreate)
        #expect(directory.names == ["taken"])
    }

    @Test("flipped bytes give errors or other values, and stop nothing", arguments: SparseLayout.allCases)
    func corruption(layout: SparseLayout) throws {
        let good = try #require(
            Repository.bytes("Tests/Data/peers/\(layout.rawValue)/sparse/model.safetensors"))
        let config = try #require(Repository.bytes("Tests/Data/peers/\(layout.rawValue)/sparse/config.json"))
        try directory.write(config, to: "in/config.json")
        var refused = 0
        for position in stride(from: 0, to: good.count, by: 5) {
            var bad = good
            bad[position] ^= 1 << UInt8(position % 7)
            try directory.write(bad, to: "in/model.safetensors")
            if code({ _ = try converter.decompress(directory("in"), to: directory("out")) }) != nil {
                refused += 1
            } else {
                try directory.remove("out")
            }
        }
        #expect(refused > 100)
    }

    @Test("parts that do not fit together")
    func malformed() throws {
        let scene = try Scene()
        func refuse(
            _ shape: [UInt8], _ values: Int, _ mask: [UInt8], maskShape: [Int],
            _ location: SourceLocation = #_sourceLocation
        ) throws {
            try scene.write(
                [
                    try TestTensor(
                        "x.shape", .i64, [shape.count], shape.flatMap { [$0] + [UInt8](repeating: 0, count: 7) }),
                    try TestTensor("x.compressed", .f16, [values], [UInt8](repeating: 1, count: 2 * values)),
                    try TestTensor("x.bitmask", .u8, maskShape, mask),
                ], to: "in/model.safetensors")
            let config = "{\"quantization_config\": {\"sparsity_config\": {\"format\": \"sparse-bitmask\"}}}"
            try scene.directory.write(Array(config.utf8), to: "in/config.json")
            let output = scene.directory("out")
            #expect(
                code { _ = try converter.decompress(scene.directory("in"), to: output) } == .header,
                sourceLocation: location)
        }
        try refuse([2, 3], 3, [1, 1], maskShape: [2, 1])
        try refuse([2, 3], 1, [1, 1], maskShape: [2, 1])
        try refuse([2, 9], 2, [1, 1], maskShape: [2, 1])
        try refuse([2, 3], 7, [7, 7], maskShape: [2, 1])
        try refuse([], 2, [1, 1], maskShape: [2, 1])
    }
}

extension ConversionReport {
    fileprivate func check(converted: Int) { #expect(self.converted == converted) }
}
