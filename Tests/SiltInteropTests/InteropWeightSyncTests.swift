import SceneSupport
@testable import SiltInterop
@testable import Workers
import Logging
import Safetensors
import TensorTypes
import TestSupport
import Testing

/// Updates written from the format's description with numpy, zstandard and xxhash (Tests/Peers/make_fixtures.py).
@Suite("Updates of weights")
struct InteropWeightSyncTests {
    private let directory: TemporaryDirectory
    private let sync = WeightSync(WorkContext(log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))

    init() throws { directory = try TemporaryDirectory() }

    private func path(_ name: String) -> String { Repository.path("Tests/Data/peers/weight-sync/" + name) }

    @Test("an update is applied", arguments: ["xor", "overwrite"])
    func apply(encoding: String) throws {
        let report = try sync.apply(base: path("base"), update: path(encoding), to: directory("out"))
        #expect(report.converted == 2 && report.tensors == 3 && report.files == 2)
        #expect(
            directory.read("out/model.safetensors")
                == Repository.bytes("Tests/Data/peers/weight-sync/new/model.safetensors"))
        #expect(directory.read("out/config.json") == Repository.bytes("Tests/Data/peers/weight-sync/base/config.json"))
    }

    @Test("an update is written as it was described", arguments: WeightSync.Encoding.allCases)
    func write(encoding: WeightSync.Encoding) throws {
        let checksum: WeightSync.Checksum = encoding == .xor ? .xxh3 : .adler32
        let report = try sync.write(
            base: path("base"), fineTuned: path("new"), encoding: encoding, checksum: checksum, version: 7,
            baseVersion: 6, to: directory("update"))
        #expect(report.converted == 2)
        let ours = try SafetensorsFile(directory("update/model-00000-of-00001.safetensors"))
        let theirs = try SafetensorsFile(path("\(encoding.rawValue)/model-00000-of-00001.safetensors"))
        #expect(ours.header.metadata == theirs.header.metadata)
        #expect(ours.header.entries.map(\.name) == theirs.header.entries.map(\.name))
        #expect(
            try JSONValue(parsing: #require(directory.read("update/model.safetensors.index.json")))
                == JSONValue(
                    parsing: #require(
                        Repository.bytes(
                            "Tests/Data/peers/weight-sync/\(encoding.rawValue)/model.safetensors.index.json"))))
        _ = try sync.apply(base: path("base"), update: directory("update"), to: directory("back"))
        #expect(try Checkpoint(at: directory("back")).tensors.count == 3)
        #expect(
            directory.read("back/model.safetensors")
                == Repository.bytes("Tests/Data/peers/weight-sync/new/model.safetensors"))
        try PeerCopies.keep(directory("update"), as: "weight-sync-\(encoding.rawValue)")
    }

    @Test("overwrite can be applied twice, xor cannot: the checksum tells")
    func twice() throws {
        _ = try sync.apply(base: path("new"), update: path("overwrite"), to: directory("again"))
        let error = failure {
            _ = try sync.apply(base: path("new"), update: path("xor"), to: directory("wrong"))
        }
        #expect(error?.code == .baseContent && error?.advice?.contains("000006") == true)
        #expect(directory.names == ["again"])
    }

    @Test("nothing changes")
    func empty() throws {
        let report = try sync.write(
            base: path("base"), fineTuned: path("base"), encoding: .xor, version: 1, baseVersion: 0,
            to: directory("update"))
        #expect(report.converted == 0 && directory.read("update/model.safetensors.index.json") != nil)
        _ = try sync.apply(base: path("base"), update: directory("update"), to: directory("out"))
        #expect(
            directory.read("out/model.safetensors")
                == Repository.bytes("Tests/Data/peers/weight-sync/base/model.safetensors"))
    }

    @Test("checkpoints with other tensors")
    func mismatch() throws {
        let scene = try Scene()
        func write(_ tensors: [(String, DType, [Int])], to name: String) throws {
            var generator = SeededGenerator(seed: 3)
            try scene.write(
                try tensors.map { try TestTensor($0.0, $0.1, $0.2, using: &generator) }, to: name + "/model.safetensors"
            )
        }
        func code(_ name: String) -> SiltError.Code? {
            TestSupport.code {
                _ = try sync.write(
                    base: scene.directory("base"), fineTuned: scene.directory(name), encoding: .xor, version: 1,
                    baseVersion: 0, to: scene.directory("out"))
            }
        }
        try write([("a", .f32, [4]), ("b", .f32, [4])], to: "base")
        try write([("a", .f32, [4])], to: "less")
        try write([("a", .f32, [4]), ("b", .f32, [4]), ("c", .f32, [4])], to: "more")
        try write([("a", .f32, [4]), ("b", .f32, [2, 2])], to: "shape")
        try write([("a", .f32, [4]), ("b", .i32, [4])], to: "dtype")
        #expect(code("less") == .baseMissing && code("more") == .baseMissing)
        #expect(code("shape") == .baseShape && code("dtype") == .baseDType)
        #expect(
            TestSupport.code {
                _ = try sync.apply(base: scene.directory("base"), update: path("xor"), to: scene.directory("out"))
            } == .baseMissing)
    }

    @Test("every flipped byte of an update is noticed, or does no harm", arguments: ["xor", "overwrite"])
    func corruption(encoding: String) throws {
        let file = "model-00000-of-00001.safetensors"
        let good = try #require(Repository.bytes("Tests/Data/peers/weight-sync/\(encoding)/\(file)"))
        let index = try #require(
            Repository.bytes("Tests/Data/peers/weight-sync/\(encoding)/model.safetensors.index.json"))
        let new = Repository.bytes("Tests/Data/peers/weight-sync/new/model.safetensors")
        try directory.write(index, to: "bad/model.safetensors.index.json")
        for position in good.indices {
            var bytes = good
            bytes[position] ^= 0x10
            try directory.write(bytes, to: "bad/" + file)
            let output = "out\(position)"
            if code({ _ = try sync.apply(base: path("base"), update: directory("bad"), to: directory(output)) }) == nil
            {
                #expect(directory.read(output + "/model.safetensors") == new, "byte \(position)")
            }
        }
    }

    @Test(
        "indices that are none",
        arguments: [
            ("\"xor\"", "\"delta\"", SiltError.Code.usage), ("zstd", "lz4", .usage), ("xxh3-128", "blake3", .usage),
            ("\"base_version\": \"000006\", ", "", .header), ("\"000007\"", "7", .header),
            (": \"model-00000-of", ": \"../model-00000-of", .header),
        ])
    func index(from: String, to: String, expected: SiltError.Code) throws {
        let text = Repository.text("Tests/Data/peers/weight-sync/xor/model.safetensors.index.json")
        let changed = text.split(separator: from, omittingEmptySubsequences: false).joined(separator: to)
        #expect(changed != text)
        try directory.write(Array(changed.utf8), to: "bad/model.safetensors.index.json")
        #expect(
            code { _ = try sync.apply(base: path("base"), update: directory("bad"), to: directory("out")) } == expected)
    }
}
