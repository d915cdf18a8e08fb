import ByteSources
import DeltaCodecs
import Safetensors
import SiltFormat
import SiltReading
import TensorTypes
import TestSupport
import Testing

/// A model of 4 GiB, most of which is holes on the device: a base of zeros, and a delta whose every 50th cell moved.
@Suite("What a range of a large model touches")
struct TouchedBytesTests {
    private static let rows = 65_536
    private static let columns = 32_768
    private static let megabyte = 1 << 20

    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        let info = try #require(TensorInfo(dtype: .bf16, shape: [TouchedBytesTests.rows, TouchedBytesTests.columns]))
        let built = try SafetensorsHeaderBuilder.header(for: [("weight", info)], metadata: nil)
        let header = try SafetensorsHeader(text: built.text, fileBytes: 8 + built.text.count + info.bytes, file: "base")
        let base = try OutputFile(creating: directory("base"))
        var start: [UInt8] = []
        start.appendLittleEndian(UInt64(built.text.count))
        try base.write(start + built.text, at: 0)
        try base.setSize(start.count + built.text.count + info.bytes)
        // Every cell has as many elements: the tensor is a whole number of them.
        let cell = info.grid.cell * info.dtype.elementBytes
        let still = Digest128(of: [UInt8](repeating: 0, count: cell))
        var generator = SeededGenerator(seed: 1)
        let moved = (0..<4).map { _ in generator.bytes(cell) }
        let writer = try ContainerWriter(at: directory("m.silt"), replacing: false)
        var digests: [Digest128] = []
        for index in 0..<info.grid.count {
            let bytes = index % 50 == 7 ? moved[index % 4] : nil
            _ = try writer.append(bytes ?? [])
            digests.append(bytes.map { Digest128(of: $0) } ?? still)
        }
        let tree = Digest128(pieces: [Digest128](repeating: still, count: info.grid.count))
        let record = TensorRecord(
            name: "weight", info: info, range: 0..<info.bytes, digest: Digest128(pieces: digests),
            base: BaseRecord(BaseTensorRecord(name: "weight", info: info, digest: tree), predicting: info),
            parts: [
                PartRecord(kind: .xor, elements: 0..<info.elements, codec: Codec.none, chunks: 0..<info.grid.count)
            ])
        let bytes = header.dataStart + info.bytes
        let baseRoot = CheckpointRoot.root(of: [("weight", info, tree)])
        let manifest = Manifest(
            contract: .exact, writer: "test", form: .file,
            base: Identity(root: baseRoot, tensors: 1, parameters: info.parameters),
            result: Identity(
                root: CheckpointRoot.root(of: [record]) ?? "", tensors: 1, parameters: info.parameters),
            bytes: bytes,
            files: [
                FileRecord(
                    path: "model.safetensors", bytes: bytes, sha256: String(repeating: "0", count: 64),
                    content: .safetensors(header: header, tensors: [record]))
            ])
        _ = try writer.finish(manifest)
    }

    @Test("1 MB of 4 GiB touches at most 4 MB of the delta and 4 MB of the base")
    func touched() throws {
        let silt = FaultySource(try LocalFile(directory("m.silt")))
        let (tree, sources) = try LocalTree(directory("base")).faulty(.none)
        let single = MemoryTree(file: sources[0])
        _ = tree
        let model = try SiltFile(ContainerReader(silt)).over(Checkpoint(single))
        let file = try model.file("model.safetensors")
        #expect(file.size > 4 << 30)
        for range in ModelScene.ranges(40, of: file.size - TouchedBytesTests.megabyte, seed: 9) {
            silt.reset()
            sources[0].reset()
            let found = try file.read(range.lowerBound..<range.lowerBound + TouchedBytesTests.megabyte)
            #expect(found.count == TouchedBytesTests.megabyte)
            #expect(silt.count.bytes <= 4_000_000, "\(range)")
            #expect(sources[0].count.bytes <= 4_000_000, "\(range)")
        }
    }

    @Test("opening takes three reads of the Silt file, and one row no more of a far source than two")
    func reads() throws {
        let silt = FaultySource(try LocalFile(directory("m.silt")))
        let model = try SiltFile(ContainerReader(silt)).over(Checkpoint(at: directory("base")))
        #expect(silt.count.reads == 3)
        silt.reset()
        _ = try model.rows(1_000..<1_001, of: "weight")
        #expect(silt.count.reads <= 2)
    }

    @Test("a run of chunks is one read of some MB from a far source")
    func coalesced() throws {
        let counted = FaultySource(try LocalFile(directory("m.silt")))
        let model = try SiltFile(ContainerReader(CoalescingSource(counted))).over(Checkpoint(at: directory("base")))
        let near = try SiltFile(at: directory("m.silt")).over(Checkpoint(at: directory("base")))
        counted.reset()
        // 520 cells, ten of which moved: 5 MB that lie side by side.
        let rows = 0..<520 * 8
        #expect(try model.rows(rows, of: "weight") == near.rows(rows, of: "weight"))
        #expect(counted.count.reads <= 2 && counted.count.bytes < 6 << 20, "\(counted.count)")
    }
}
