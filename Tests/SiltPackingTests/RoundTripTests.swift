import SceneSupport
import SiltPacking
import SiltReading
import TensorTypes
import TestSupport
import Testing

@Suite("Packing and unpacking: any bits, any shape")
struct RoundTripTests {
    private let scene: Scene

    init() throws { scene = try Scene() }

    @Test("every dtype, random bits, with and without a base", arguments: DType.allCases)
    func dtypes(dtype: DType) throws {
        var generator = SeededGenerator(seed: 1)
        let same = try TestTensor("same", dtype, [16, 24], using: &generator)
        let light = try TestTensor("light", dtype, [40, 48], using: &generator)
        let heavy = try TestTensor("heavy", dtype, [8, 24], using: &generator)
        let vector = try TestTensor("vector", dtype, [120], using: &generator)
        let result = [
            same, light.moved(every: 19, using: &generator),
            try TestTensor("heavy", dtype, [8, 24], using: &generator),
            vector.moved(every: 64, using: &generator),
            try TestTensor("new.tensor", dtype, [4, 4, 8], using: &generator),
            try TestTensor("empty", dtype, [0, 8], []),
        ]
        let found = try scene.roundTrip([same, light, heavy, vector], result)
        #expect(found["same"]?.kind == "copy" && found["same"]?.bytes == 0)
        #expect(found["new.tensor"]?.kind == "whole" && found["new.tensor"]?.base == nil)
        #expect(found["empty"]?.kind == "empty")
        #expect(found["light"]?.base == "light")
        #expect(["exact", "xor"].contains(found["light"]?.kind))
    }

    @Test(
        "every codec with every dtype that has a residual, and some that have none",
        arguments: PackOptions.CodecChoice.allCases)
    func codecs(codec: PackOptions.CodecChoice) throws {
        var generator = SeededGenerator(seed: 2)
        var (base, result): ([TestTensor], [TestTensor]) = ([], [])
        for dtype in [DType.f32, .bf16, .f16, .f8E4M3, .f8E5M2, .i64, .i16, .u8, .f4, .c64] {
            let tensor = try TestTensor("moved.\(dtype.rawValue)", dtype, [50, 60], using: &generator)
            base.append(tensor)
            result.append(tensor.moved(every: 13, using: &generator))
            result.append(try TestTensor("new.\(dtype.rawValue)", dtype, [30, 30], using: &generator))
            result.append(
                try TestTensor("zero.\(dtype.rawValue)", dtype, [64], [UInt8](repeating: 0, count: 8 * dtype.bits)))
        }
        let found = try scene.roundTrip(base, result, codec: codec)
        let used = Set(found.values.flatMap { $0.codec.split(separator: "+").map(String.init) })
        let allowed: Set<String>
        switch codec {
        case .auto: allowed = ["rans", "zstd"]
        default: allowed = [codec.rawValue]
        }
        #expect(used == allowed)
        #expect(Set(found.values.map(\.kind)).isSuperset(of: ["whole"]))
    }

    @Test(
        "patterns that models should not have", arguments: [DType.f32, .bf16, .f16, .f8E4M3, .f8E5M2FNUZ],
        [BitPatterns.Kind.special, .subnormal, .all])
    func patterns(dtype: DType, kind: BitPatterns.Kind) throws {
        var generator = SeededGenerator(seed: 3)
        let layout = try #require(dtype.floatLayout)
        // Enough elements for tables of their own.
        let base = BitPatterns(kind, layout, count: 40_000, using: &generator)
        let moved = base.moved(.mixed, unit: 200, using: &generator)
        let other = BitPatterns(kind, layout, count: 1_000, using: &generator)
        let found = try scene.roundTrip(
            [try TestTensor("a", dtype, [200, 200], base), try TestTensor("b", dtype, [1_000], other)],
            [
                try TestTensor("a", dtype, [200, 200], moved),
                try TestTensor("b", dtype, [1_000], other.moved(.heavy, unit: 1, using: &generator)),
                try TestTensor("c", dtype, [1_000], other),
            ])
        #expect(found["a"]?.base == "a" || found["a"]?.kind == "whole")
    }

    @Test("scalars, tensors without elements, and a result without tensors")
    func small() throws {
        var generator = SeededGenerator(seed: 4)
        let scalar = try TestTensor("scalar", .f32, [], [1, 2, 3, 0x40])
        let base = [
            scalar, try TestTensor("gone", .i8, [3], using: &generator), try TestTensor("hollow", .f16, [0], []),
            try TestTensor("filled", .u8, [0, 4], []), try TestTensor("emptied", .u8, [2, 4], using: &generator),
        ]
        let result = [
            try TestTensor("scalar", .f32, [], [1, 2, 4, 0x40]), try TestTensor("hollow", .f16, [0], []),
            try TestTensor("filled", .u8, [3, 4], using: &generator), try TestTensor("emptied", .u8, [0, 4], []),
            try TestTensor("flat", .i64, [5, 0, 2], []), try TestTensor("one", .bool, [], [1]),
        ]
        let found = try scene.roundTrip(base, result)
        #expect(found["scalar"]?.base == "scalar")
        #expect(found["filled"]?.kind == "whole")
        for name in ["hollow", "emptied", "flat"] { #expect(found[name]?.kind == "empty") }
        try scene.roundTrip(base, [])
        try scene.roundTrip([], result)
    }

    @Test(
        "a first extent that grows or shrinks", arguments: [DType.bf16, .f32, .i32, .f8E4M3],
        [(30, 46), (46, 30), (1, 2), (700, 701)])
    func extents(dtype: DType, rows: (Int, Int)) throws {
        var generator = SeededGenerator(seed: 5)
        let width = rows.0 == 700 ? 500 : 20
        let base = try TestTensor("e", dtype, [rows.0, width], using: &generator)
        var bytes = base.moved(every: 97, using: &generator).bytes
        let size = rows.1 * width * dtype.elementBytes
        bytes = Array(bytes.prefix(size)) + generator.bytes(max(0, size - bytes.count))
        let found = try scene.roundTrip([base], [try TestTensor("e", dtype, [rows.1, width], bytes)])
        #expect(found["e"]?.base == "e")
        #expect(found["e"]?.kind.hasSuffix("+whole") == (rows.1 > rows.0))
    }

    @Test("vectors that grow past a cell")
    func vectors() throws {
        var generator = SeededGenerator(seed: 6)
        let base = try TestTensor("v", .u8, [262_100], using: &generator)
        let result = try TestTensor(
            "v", .u8, [262_200], base.moved(every: 1_000, using: &generator).bytes + generator.bytes(100))
        let found = try scene.roundTrip([base], [result])
        #expect(found["v"]?.kind == "xor+whole")
        try scene.roundTrip([result], [base])
    }

    private static let convertible: [DType] = [.f32, .f16, .bf16]

    @Test("another dtype", arguments: convertible, convertible)
    func conversion(from: DType, to: DType) throws {
        guard from != to else { return }
        var generator = SeededGenerator(seed: 7)
        let layout = try #require(to.floatLayout)
        // Any bits in the base; the result has random ones too, so that no conversion can help to guess.
        let base = [
            try TestTensor("a", from, [40, 100], using: &generator), try TestTensor("b", from, [9], using: &generator),
        ]
        let result = [
            try TestTensor("a", to, [40, 100], BitPatterns(.random, layout, count: 4_000, using: &generator)),
            try TestTensor("b", to, [9], BitPatterns(.special, layout, count: 9, using: &generator)),
        ]
        try scene.roundTrip(base, result)
        // The usual case: what fits is kept, so nearly nothing is stored.
        let zeros = try TestTensor("z", from, [40, 100], [UInt8](repeating: 0, count: 4_000 * from.elementBytes))
        let found = try scene.roundTrip(
            [zeros], [try TestTensor("z", to, [40, 100], [UInt8](repeating: 0, count: 4_000 * to.elementBytes))])
        #expect(found["z"]?.kind == "copy" && found["z"]?.base == "z")
    }

    @Test("names with other prefixes, and tied embeddings")
    func renamed() throws {
        var generator = SeededGenerator(seed: 8)
        let base = try ["bert.encoder.q.weight", "bert.embed_tokens.weight", "bert.pooler.bias"].map {
            try TestTensor($0, .bf16, [30, 40], using: &generator)
        }
        let result = [
            try base[0].moved(every: 50, using: &generator).named("encoder.q.weight"),
            try base[1].named("lm_head.weight"),
            try base[2].named("classifier.bert.pooler.bias"),
        ]
        let found = try scene.roundTrip(base, result)
        #expect(found["encoder.q.weight"]?.base == "bert.encoder.q.weight")
        #expect(found["lm_head.weight"]?.base == "bert.embed_tokens.weight")
        #expect(found["lm_head.weight"]?.kind == "copy")
        #expect(found["classifier.bert.pooler.bias"]?.base == "bert.pooler.bias")
    }

    @Test(
        "cells that equal the base beside cells that do not", arguments: [DType.u8, .i32, .bf16],
        [PackOptions.CodecChoice.rans, .auto, .zstd])
    func equalCells(dtype: DType, codec: PackOptions.CodecChoice) throws {
        var generator = SeededGenerator(seed: 9)
        let count = 2 * 262_144
        let base = [UInt8](repeating: 0x40, count: count * dtype.elementBytes)
        var result = base
        // Every byte of the second cell moves, so that its planes have no zero; few values, so that coding pays.
        for index in base.count / 2..<base.count { result[index] ^= UInt8(1 + generator.below(8) / 7) }
        let tensor = try TestTensor("t", dtype, [count], base)
        // Once, the counts of the planes left out the equal cell, the table had no zero for it, and packing failed.
        try scene.roundTrip([tensor], [try TestTensor("t", dtype, [count], result)], codec: codec)
    }

    @Test("identical checkpoints take nearly nothing")
    func identical() throws {
        var generator = SeededGenerator(seed: 10)
        let tensors = [
            try TestTensor("a", .f32, [100, 100], using: &generator), try TestTensor("b", .i64, [7], using: &generator),
        ]
        let found = try scene.roundTrip(tensors, tensors)
        #expect(found.values.allSatisfy { $0.kind == "copy" })
        #expect((scene.directory.read("out.silt")?.count ?? .max) < 2_000)
    }
}

@Suite("Packing and unpacking: directories and threads")
struct DirectoryTests {
    private let scene: Scene

    init() throws { scene = try Scene() }

    /// A base and a result with many cells, shards, stored files, equal files and an empty one.
    private func make() throws {
        var generator = SeededGenerator(seed: 11)
        let large = try TestTensor("model.large.weight", .bf16, [620, 1_000], using: &generator)
        let flat = try TestTensor("model.flat", .i16, [300_000], using: &generator)
        let small = try TestTensor("model.norm.weight", .f32, [500], using: &generator)
        try scene.write([large, small, flat], to: "base/model.safetensors")
        try scene.write(
            [large.moved(every: 11, using: &generator), small.moved(every: 3, using: &generator)],
            to: "result/model-1.safetensors")
        try scene.write([flat.moved(every: 5, using: &generator)], to: "result/model-2.safetensors")
        let index =
            #"{"weight_map":{"model.large.weight":"model-1.safetensors","model.norm.weight":"model-1.safetensors","model.flat":"model-2.safetensors"}}"#
        try scene.directory.write(Array(index.utf8), to: "result/model.safetensors.index.json")
        for side in ["base", "result"] {
            try scene.directory.write(Array("{\"a\": 1}".utf8), to: side + "/config.json")
            try scene.directory.write([], to: side + "/.gitattributes")
        }
        try scene.directory.write(generator.bytes(1_200_000), to: "result/extra/blob.bin")
        try scene.directory.write([], to: "result/extra/empty")
        try scene.directory.write([1, 2, 3], to: "result/extra/broken.safetensors")
        try scene.write([try small.named("adapter.weight")], to: "result/extra/adapter.safetensors")
    }

    /// All files below a directory, with their bytes.
    private func files(_ name: String) throws -> [String: [UInt8]] {
        let paths = [
            "model-1.safetensors", "model-2.safetensors", "model.safetensors.index.json", "config.json",
            ".gitattributes",
            "extra/blob.bin", "extra/empty", "extra/broken.safetensors", "extra/adapter.safetensors",
        ]
        return try Dictionary(
            uniqueKeysWithValues: paths.map { ($0, try #require(scene.directory.read("\(name)/\($0)"))) })
    }

    @Test("one, two and five threads write the same file, which gives back the directory")
    func threads() throws {
        try make()
        let reports = try [1, 2, 5].map { try scene.pack(to: "out\($0).silt", threads: $0) }
        let packed = try [1, 2, 5].map { try #require(scene.directory.read("out\($0).silt")) }
        let areEqual = packed[0] == packed[1] && packed[0] == packed[2]
        #expect(areEqual)
        #expect(reports.allSatisfy { $0.encodings == reports[0].encodings && $0.bytes == packed[0].count })
        let inspection = try Inspection(of: scene.directory("out1.silt"))
        let kinds = Dictionary(uniqueKeysWithValues: inspection.files.map { ($0.path, $0.kind.rawValue) })
        #expect(kinds["config.json"] == "stored" && kinds[".gitattributes"] == "stored")
        #expect(kinds["extra/blob.bin"] == "stored" && kinds["extra/broken.safetensors"] == "stored")
        #expect(kinds["extra/adapter.safetensors"] == "safetensors" && inspection.files.count == 9)
        let expected = try files("result")
        for threads in [1, 5] {
            try scene.unpack("base", "out1.silt", to: "back\(threads)", threads: threads)
            let isEqual = try files("back\(threads)") == expected
            #expect(isEqual)
            let report = try scene.verify(
                "base", "out1.silt", against: "result", sha256: threads == 1, threads: threads)
            #expect(report.identical, "\(report.differences)")
        }
    }

    @Test("verifying against another directory tells what differs")
    func against() throws {
        try make()
        try scene.pack()
        try scene.directory.write([1], to: "result/extra/new")
        try scene.directory.write([9, 2, 3], to: "result/extra/broken.safetensors")
        try scene.directory.remove("result/config.json")
        let report = try scene.verify(against: "result")
        #expect(!report.identical)
        let files = report.differences.map { $0.file ?? "" }
        #expect(Set(files) == ["extra/new", "extra/broken.safetensors", "config.json"])
        #expect(report.differences.allSatisfy { $0.kind == .against })
        #expect(code { _ = try scene.verify(against: "out.silt") } == .usage)
    }

    @Test("the sums of progress end at the totals")
    func progress() throws {
        try make()
        let log = ProgressLog()
        try scene.pack(progress: log.handler)
        try scene.unpack(progress: log.handler)
        _ = try scene.verify(progress: log.handler)
        let phases = log.phases
        #expect(Set(phases.keys) == ["measuring", "packing", "unpacking", "verifying"])
        #expect(phases.values.allSatisfy { $0.totals.count == 1 })
        for phase in ["packing", "unpacking", "verifying"] {
            #expect(phases[phase]?.totals == [phases[phase]?.done ?? -1], "\(phase)")
        }
        // The total counts whole files, the sum tensors: the headers of safetensors files are missing.
        #expect(phases["measuring"]?.totals == [phases["measuring"]?.done ?? -1])
        #expect(log.names.isSuperset(of: ["model.large.weight", "model.flat", "extra/blob.bin"]))
    }

    @Test("the sums of progress end at the totals for a tensor that grew within a cell")
    func progressOfGrown() throws {
        var generator = SeededGenerator(seed: 12)
        let base = try TestTensor("e", .f32, [30, 20], using: &generator)
        try scene.write([base], to: "base")
        try scene.write(
            [
                try TestTensor(
                    "e", .f32, [40, 20], base.moved(every: 7, using: &generator).bytes + generator.bytes(800))
            ],
            to: "result")
        let log = ProgressLog()
        try scene.pack(progress: log.handler)
        let packing = try #require(log.phases["packing"])
        #expect(packing.totals == [3_200])
        #expect(packing.done == 3_200)
    }
}
