import DeltaCodecs
import Safetensors
@testable import SiltFormat
import TensorTypes
import TestSupport
import Testing

/// A manifest with every kind of file and part, and the chunks that it needs.
struct SampleContainer {
    let manifest: Manifest
    let chunks: [[UInt8]]

    init() throws {
        let shapes: [(name: String, dtype: DType, shape: [Int])] = [
            ("copied", .f64, [3]), ("residual", .bf16, [600, 1_000]), ("crossed", .i32, [2, 5]),
            ("grown", .f16, [6, 4]), ("new", .u8, [7]), ("scalar", .f32, []), ("empty", .bool, [0, 3]),
            ("four", .f4, [3, 4]),
        ]
        let tensors = try shapes.map { shape in
            (name: shape.name, info: try #require(TensorInfo(dtype: shape.dtype, shape: shape.shape)))
        }
        let (text, _) = try SafetensorsHeaderBuilder.header(for: tensors, metadata: ["k": "é\n"])
        let bytes = 8 + text.count + tensors.reduce(0) { $0 + $1.info.bytes }
        let header = try SafetensorsHeader(text: text, fileBytes: bytes, file: "m")
        var chunks: [[UInt8]] = []
        func chunk(_ size: Int) -> Int {
            chunks.append([UInt8](repeating: UInt8(chunks.count), count: size))
            return chunks.count - 1
        }
        func digest(_ seed: UInt8) -> Digest128 { Digest128(of: [seed]) }
        let tables = chunk(30)
        var records: [TensorRecord] = []
        for entry in header.entries {
            let elements = 0..<entry.info.elements
            var base: BaseTensorRecord? = BaseTensorRecord(name: entry.name, info: entry.info, digest: digest(1))
            var parts: [PartRecord] = []
            switch entry.name {
            case "copied": parts = [PartRecord(kind: .copy, elements: elements)]
            case "residual":
                base?.name = "old.residual"
                base?.info = try #require(TensorInfo(dtype: .f32, shape: [600, 1_000]))
                let first = chunk(0)
                _ = (chunk(10), chunk(20))
                parts = [
                    PartRecord(
                        kind: .exact, elements: elements, codec: .rans, chunks: first..<first + 3, tables: tables,
                        unit: 500)
                ]
            case "crossed":
                let first = chunk(5)
                parts = [PartRecord(kind: .xor, elements: elements, codec: .zstd, chunks: first..<first + 1)]
            case "grown":
                base?.info = try #require(TensorInfo(dtype: .f16, shape: [4, 4]))
                base?.digest = digest(9)
                let (first, second) = (chunk(6), chunk(7))
                parts = [
                    PartRecord(
                        kind: .exact, elements: 0..<16, codec: .rans, chunks: first..<first + 1, tables: tables, unit: 4
                    ),
                    PartRecord(kind: .whole, elements: 16..<24, codec: .lz4, chunks: second..<second + 1),
                ]
            case "empty": base = nil
            default:
                base = nil
                let first = chunk(2)
                parts = [PartRecord(kind: .whole, elements: elements, codec: Codec.none, chunks: first..<first + 1)]
            }
            records.append(
                TensorRecord(
                    name: entry.name, info: entry.info, range: entry.range, digest: digest(1),
                    base: base.map { BaseRecord($0, predicting: entry.info) }, parts: parts)
            )
        }
        let sha256 = String(repeating: "ab", count: 32)
        let stored = chunk(100)
        _ = chunk(11)
        let files = [
            FileRecord(
                path: "model.safetensors", bytes: bytes, sha256: sha256,
                content: .safetensors(header: header, tensors: records)),
            FileRecord(
                path: "a/stored", bytes: FileRecord.piece + 1, sha256: sha256,
                content: .stored(digest: digest(2), codec: .zstd, chunks: stored..<stored + 2)),
            FileRecord(
                path: "a/empty", bytes: 0, sha256: sha256,
                content: .stored(digest: digest(3), codec: Codec.none, chunks: 0..<0)),
            FileRecord(path: "b", bytes: 5, sha256: sha256, content: .base(digest: digest(4), from: "x/y")),
        ]
        self.chunks = chunks
        manifest = Manifest(
            contract: .exact, writer: "a test", form: .directory,
            base: Identity(root: sha256, tensors: 3, parameters: 4),
            result: Identity(root: String(repeating: "cd", count: 32), tensors: 8, parameters: 600_056),
            bytes: bytes + FileRecord.piece + 6, files: files)
    }

    /// Writes it; returns the size that the writer says.
    func write(to path: String, replacing: Bool = false) throws -> Int {
        let writer = try ContainerWriter(at: path, replacing: replacing)
        for (index, chunk) in chunks.enumerated() { #expect(try writer.append(chunk) == index) }
        return try writer.finish(manifest)
    }
}

@Suite("The container: writer and reader")
struct ContainerTests {
    private let directory: TemporaryDirectory
    private let sample: SampleContainer

    init() throws {
        directory = try TemporaryDirectory()
        sample = try SampleContainer()
    }

    @Test("a manifest with every kind comes back, and so do the chunks")
    func roundTrip() throws {
        let size = try sample.write(to: directory("x.silt"))
        let reader = try ContainerReader(directory("x.silt"))
        #expect(size == directory.read("x.silt")?.count && reader.bytes == size)
        #expect(reader.manifest.json == sample.manifest.json)
        #expect(reader.manifest.tensors == sample.manifest.tensors)
        #expect(Set(reader.manifest.tensors.flatMap { $0.parts.map(\.kind) }) == Set(PartKind.allCases))
        #expect(reader.manifest.tensors.count == 8)
        #expect(reader.manifest.writer == "a test" && reader.manifest.form == .directory)
        #expect(reader.manifest.base == sample.manifest.base && reader.manifest.result == sample.manifest.result)
        #expect(reader.chunks.count == sample.chunks.count)
        for (index, chunk) in sample.chunks.enumerated() { #expect(try reader.tables(index) == chunk) }
        #expect(reader.metadata["format"] == "silt" && reader.metadata["contract"] == "exact")
        #expect(reader.metadata["about"]?.isEmpty == false)
    }

    @Test("the file is a safetensors file with three entries of bytes, in order")
    func safetensors() throws {
        _ = try sample.write(to: directory("x.silt"))
        let file = try SafetensorsFile(directory("x.silt"))
        #expect(file.header.entries.map(\.name) == ["silt.payload", "silt.chunks", "silt.manifest"])
        #expect(file.header.entries.allSatisfy { $0.info.dtype == .u8 && $0.info.shape.count == 1 })
        #expect(try file.bytes(of: "silt.payload") == sample.chunks.flatMap { $0 })
        #expect(file.header.dataStart == ContainerHeader.reserved)
    }

    @Test("the header of the largest file fits the room that is reserved")
    func reserved() {
        let text = ContainerHeader.text(
            manifest: sample.manifest, manifestBytes: [1], chunkBytes: [2], payloadBytes: Int.max - 10)
        #expect(text.count == ContainerHeader.reserved - 8)
    }

    @Test("every change of a bit in the header is noticed")
    func check() throws {
        _ = try sample.write(to: directory("x.silt"))
        let bytes = try #require(directory.read("x.silt"))
        var generator = SeededGenerator(seed: 1)
        for position in 0..<ContainerHeader.reserved {
            var altered = bytes
            altered[position] ^= UInt8(1 << generator.below(8))
            try directory.write(altered, to: "y.silt")
            let found = code { _ = try ContainerReader(directory("y.silt")) }
            if found == nil { Issue.record("byte \(position)") }
        }
    }

    @Test("a header with another check, or none, is refused as a checksum")
    func wrongCheck() throws {
        _ = try sample.write(to: directory("x.silt"))
        let bytes = try #require(directory.read("x.silt"))
        let text = String(decoding: bytes[8..<ContainerHeader.reserved], as: UTF8.self)
        let check = try #require(SafetensorsFile(directory("x.silt")).header.metadata?["check"])
        let changes = [
            (check, String(check.reversed())), (check, check.uppercased() + ""), ("\"check\"", "\"chekc\""),
            ("a delta checkpoint", "A delta checkpoint"), ("  ", "\t\n"),
        ]
        for (old, new) in changes where old != new {
            let altered = text.replacing(old, with: new, maxReplacements: 1)
            try directory.write(
                Array(bytes[..<8]) + Array(altered.utf8) + Array(bytes[ContainerHeader.reserved...]), to: "y")
            #expect(code { _ = try ContainerReader(directory("y")) } == .checksum, "\(old) to \(new)")
        }
    }

    @Test("the check is that of the header with zeros in its place")
    func checkValue() throws {
        _ = try sample.write(to: directory("x.silt"))
        let file = try SafetensorsFile(directory("x.silt"))
        let check = try #require(file.header.metadata?["check"])
        let text = String(decoding: file.header.text, as: UTF8.self)
        let blank = text.replacing(check, with: String(repeating: "0", count: 16))
        let hash = Checksum64.of(Array(blank.utf8))
        #expect(UInt64(check, radix: 16) == hash && check.count == 16)
    }

    @Test("replacing goes from the left, without overlap")
    func replacing() {
        func replaced(_ text: String) -> String {
            let bytes = ContainerHeader.replacing(Array("aa".utf8), by: Array("bc".utf8), in: Array(text.utf8))
            return String(decoding: bytes, as: UTF8.self)
        }
        #expect(replaced("aaa") == "bca")
        #expect(replaced("xaaaax") == "xbcbcx")
        #expect(replaced("a") == "a")
        #expect(replaced("") == "")
    }

    @Test("a chunk with a changed byte is refused when it is read, with its place")
    func chunk() throws {
        _ = try sample.write(to: directory("x.silt"))
        var bytes = try #require(directory.read("x.silt"))
        bytes[ContainerHeader.reserved + 29] ^= 1
        try directory.write(bytes, to: "y")
        let reader = try ContainerReader(directory("y"))
        let error = failure { _ = try reader.tables(0) }
        #expect(error?.code == .checksum && error?.range == 768..<798 && error?.file == directory("y"))
        #expect(try reader.tables(2) == sample.chunks[2])
    }

    @Test("changed bytes of the chunk table and the manifest are refused as checksums")
    func digests() throws {
        _ = try sample.write(to: directory("x.silt"))
        let bytes = try #require(directory.read("x.silt"))
        let file = try SafetensorsFile(directory("x.silt"))
        for name in ["silt.chunks", "silt.manifest"] {
            let range = try #require(file.header[name]?.range)
            for position in [range.lowerBound, range.upperBound - 1] {
                var altered = bytes
                altered[file.header.dataStart + position] ^= 0x10
                try directory.write(altered, to: "y")
                #expect(code { _ = try ContainerReader(directory("y")) } == .checksum)
            }
        }
    }

    @Test("a writer that is let go leaves nothing; an existing file stays unless it may go")
    func staging() throws {
        do {
            let writer = try ContainerWriter(at: directory("x.silt"), replacing: false)
            _ = try writer.append([1, 2, 3])
        }
        #expect(directory.names == [])
        try directory.write([7], to: "x.silt")
        #expect(code { _ = try sample.write(to: directory("x.silt")) } == .cannotCreate)
        #expect(directory.read("x.silt") == [7])
        _ = try sample.write(to: directory("x.silt"), replacing: true)
        #expect(directory.names == ["x.silt"])
        _ = try ContainerReader(directory("x.silt"))
    }

    @Test("two runs write the same bytes")
    func determinism() throws {
        _ = try sample.write(to: directory("x.silt"))
        _ = try sample.write(to: directory("y.silt"))
        #expect(directory.read("x.silt") == directory.read("y.silt"))
    }
}

@Suite("The chunk table (section 5)")
struct ChunkTableTests {
    private func table() -> ChunkTable {
        var table = ChunkTable()
        for (size, checksum) in [(5, UInt64(1)), (0, 0x0102_0304_0506_0708), (70_000, .max)] {
            _ = table.append(size: size, checksum: checksum)
        }
        return table
    }

    @Test("ranges follow from the sizes")
    func ranges() {
        let table = table()
        #expect(table.count == 3 && table.payloadBytes == 70_005)
        #expect((0..<3).map { table.range($0) } == [0..<5, 5..<5, 5..<70_005])
        #expect((0..<3).map { table.size($0) } == [5, 0, 70_000])
        #expect(table.size(of: 1..<3) == 70_000 && table.size(of: 1..<1) == 0)
        #expect(ChunkTable().payloadBytes == 0)
    }

    @Test("the stored form has known bytes and comes back")
    func stored() throws {
        let table = table()
        #expect(
            table.stored[..<24] == [5, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1])
        let back = try #require(ChunkTable(stored: table.stored))
        #expect(back.stored == table.stored && back.checksum(2) == .max && back.payloadBytes == 70_005)
        #expect(ChunkTable(stored: [])?.count == 0)
    }

    @Test("only whole records are read", arguments: [1, 11, 13, 23])
    func records(count: Int) { #expect(ChunkTable(stored: Array(table().stored.prefix(count))) == nil) }
}

@Suite("Who uses which chunk (section 5)")
struct ChunkLedgerTests {
    private func ledger(_ sizes: [Int]) -> ChunkLedger {
        var table = ChunkTable()
        for size in sizes { _ = table.append(size: size, checksum: 0) }
        return ChunkLedger(table)
    }

    @Test("each chunk has one user, tables may have several, and none is left")
    func uses() throws {
        var ledger = ledger([1, 2, 3])
        #expect(try ledger.claim(1, 2, at: "p") == 1..<3)
        #expect(code { try ledger.finish() } == .coverage)
        try ledger.claimTables(0, at: "p")
        try ledger.claimTables(0, at: "q")
        try ledger.finish()
        #expect(code { _ = try ledger.claim(2, 1, at: "q") } == .coverage)
        #expect(code { _ = try ledger.claim(0, 1, at: "q") } == .coverage)
        #expect(code { try ledger.claimTables(1, at: "q") } == .coverage)
    }

    @Test("chunks that are not there are refused, however large the number")
    func absent() {
        var ledger = ledger([1])
        for (first, count) in [(1, 1), (0, 2), (Int.max, 1), (0, Int.max), (Int.max, Int.max)] {
            #expect(code { _ = try ledger.claim(first, count, at: "p") } == .coverage)
        }
        #expect(code { try ledger.claimTables(.max, at: "p") } == .coverage)
        #expect((try? ledger.claim(.max, 0, at: "p")) == 0..<0)
    }

    @Test("sizes beyond the caps are refused")
    func caps() {
        var ledger = ledger([65_536, 65_537, 65_738, 65_739, 0])
        #expect(code { try ledger.claimTables(0, at: "p") } == nil)
        #expect(code { try ledger.claimTables(1, at: "p") } == .limit)
        #expect(code { try ledger.check(2, decoded: 101, mayBeEmpty: true, at: "p") } == nil)
        #expect(code { try ledger.check(3, decoded: 101, mayBeEmpty: true, at: "p") } == .limit)
        #expect(code { try ledger.check(4, decoded: 101, mayBeEmpty: true, at: "p") } == nil)
        #expect(code { try ledger.check(4, decoded: 101, mayBeEmpty: false, at: "p") } == .chunk)
    }
}
