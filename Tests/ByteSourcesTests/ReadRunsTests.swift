import ByteSources
import TensorTypes
import TestSupport
import Testing

@Suite("Sources: versions, runs of ranges, far sources")
struct ByteSourceTests {
    @Test("ranges that are near are one run, within the limit")
    func runs() {
        #expect(ReadRuns.covering([0..<10, 10..<20, 25..<30], gap: 5, limit: 100) == [0..<30])
        #expect(ReadRuns.covering([0..<10, 16..<20], gap: 5, limit: 100) == [0..<10, 16..<20])
        #expect(ReadRuns.covering([0..<60, 60..<120], gap: 5, limit: 100) == [0..<60, 60..<120])
        #expect(ReadRuns.covering([0..<500, 500..<510], gap: 5, limit: 100) == [0..<500, 500..<510])
        #expect(ReadRuns.covering([3..<3, 4..<9], gap: 5, limit: 100) == [4..<9])
        #expect(ReadRuns.covering([0..<10, 2..<5], gap: 5, limit: 100) == [0..<10])
        #expect(ReadRuns.covering([]) == [])
    }

    @Test("runs cover every range, whatever the ranges", arguments: 0..<40)
    func cover(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        var ranges: [Range<Int>] = []
        var end = 0
        for _ in 0..<50 {
            let start = end + generator.below(40)
            end = start + generator.below(60)
            ranges.append(start..<end)
        }
        let runs = ReadRuns.covering(ranges, gap: 20, limit: 200)
        for range in ranges where !range.isEmpty {
            #expect(runs.contains { $0.lowerBound <= range.lowerBound && range.upperBound <= $0.upperBound })
        }
        #expect(runs.allSatisfy { $0.count <= 200 })
    }

    @Test("a far source gives announced ranges from few reads, others as they are asked for")
    func coalescing() throws {
        var generator = SeededGenerator(seed: 3)
        let bytes = generator.bytes(1 << 20)
        let counted = FaultySource(MemorySource(bytes, path: "m"))
        let source = CoalescingSource(counted)
        let ranges = (0..<50).map { $0 * 20_000..<$0 * 20_000 + 9_000 }
        try source.prepare(ranges)
        for range in ranges { #expect(try source.bytes(range) == Array(bytes[range])) }
        #expect(counted.count.reads == 1)
        #expect(try source.bytes(5..<1_048_570) == Array(bytes[5..<1_048_570]))
        #expect(source.isFar && !counted.isFar)
    }

    @Test("a file that is written to has another version, and its reader says so")
    func versions() throws {
        let directory = try TemporaryDirectory()
        try directory.write([1, 2, 3], to: "f")
        let file = try LocalFile(directory("f"))
        try file.checkUnchanged()
        let other = try LocalFile(directory("f"))
        #expect(other.version == file.version)
        try directory.write([1, 2, 3, 4], to: "f2")
        #expect(try LocalFile(directory("f2")).version != file.version)
    }

    @Test("the SHA-256 of a source, in pieces")
    func sha256() throws {
        var generator = SeededGenerator(seed: 4)
        let bytes = generator.bytes(2_500_000)
        let source = FaultySource(MemorySource(bytes, path: "m"), .shortReads(seed: 1))
        #expect(try source.sha256 { () throws(SiltError) in } == SHA256.of(bytes))
        // FIPS 180-4, the message "abc".
        #expect(
            SHA256.of(Array("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test("trees: a file's name, and files that are not there")
    func trees() throws {
        let tree = MemoryTree(["b": MemorySource([1], path: "b"), "a/c": MemorySource([2], path: "c")], path: "t")
        #expect(tree.files == ["a/c", "b"] && tree.has("b") && !tree.has("c") && tree.path(of: "b") == "t/b")
        #expect(code { _ = try tree.open("c") } == .inputMissing)
        let single = MemoryTree(file: MemorySource([3], path: "x/y.safetensors"))
        #expect(single.files == ["y.safetensors"] && single.path(of: "y.safetensors") == "x/y.safetensors")
    }
}
