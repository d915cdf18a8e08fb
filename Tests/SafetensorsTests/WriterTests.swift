import TensorTypes
import TestSupport
import Testing

@testable import Safetensors

/// The streaming writer: any order, any threads, whole or not at all.
struct WriterTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func info(_ dtype: DType, _ shape: [Int]) throws -> TensorInfo {
        try #require(TensorInfo(dtype: dtype, shape: shape))
    }

    @Test func anyOrderGivesTheSameFile() throws {
        let tensors = [("a", try info(.u8, [300])), ("b", try info(.f32, [7, 9])), ("c", try info(.u8, [0]))]
        var generator = SeededGenerator(seed: 7)
        let bytes = tensors.map { _, info in (0..<info.bytes).map { _ in UInt8.random(in: 0...255, using: &generator) }
        }
        try SafetensorsWriter.write(
            zip(tensors, bytes).map { ($0.0, $0.1, $1) }, metadata: ["k": "v"], to: directory("whole"))
        for step in [1, 5, 64, 1_000] {
            let writer = try SafetensorsWriter(
                at: directory("pieces"), for: tensors, metadata: ["k": "v"], replacing: true)
            let pieces = tensors.indices.flatMap { index in
                stride(from: 0, to: bytes[index].count, by: step).map { (index, $0) }
            }
            for (index, start) in pieces.shuffled(using: &generator) {
                let piece = Array(bytes[index][start..<min(bytes[index].count, start + step)])
                try writer.write(piece, to: tensors[index].0, at: start)
            }
            try writer.commit()
            #expect(directory.read("pieces") == directory.read("whole"))
            #expect(writer.bytes == directory.read("whole")?.count)
        }
    }

    @Test func spansAreWritten() throws {
        let writer = try SafetensorsWriter(at: directory("f"), for: [("a", try info(.i32, [3]))])
        let values: [Int32] = [1, 2, 3]
        try unsafe writer.write(values.span.bytes, to: "a")
        try writer.commit()
        #expect(try SafetensorsFile(directory("f")).bytes(of: "a") == [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0])
    }

    @Test func whatIsMissingIsNotCommitted() throws {
        let writer = try SafetensorsWriter(
            at: directory("f"), for: [("a", try info(.u8, [4])), ("b", try info(.u8, [4]))])
        try writer.write([1, 2, 3, 4], to: "a")
        try writer.write([1], to: "b")
        try writer.write([4], to: "b", at: 3)
        let error = failure { try writer.commit() }
        #expect(error?.code == .usage)
        #expect(error?.tensor == "b")
        #expect(error?.message == "bytes 1..<3 of 4 were not written")
        #expect(code { _ = try SafetensorsFile(directory("f")) } == .inputMissing)
    }

    @Test func wrongBytesAreRefused() throws {
        let writer = try SafetensorsWriter(at: directory("f"), for: [("a", try info(.u8, [4]))])
        #expect(code { try writer.write([1], to: "b") } == .usage)
        #expect(code { try writer.write([1, 2], to: "a", at: 3) } == .usage)
        #expect(code { try writer.write([1, 2], to: "a", at: -1) } == .usage)
        #expect(code { try writer.write([1, 2], to: "a", at: .max) } == .usage)
        try writer.write([1, 2], to: "a", at: 1)
        #expect(code { try writer.write([1, 2], to: "a", at: 2) } == .usage)
        try writer.write([1], to: "a")
        try writer.write([1], to: "a", at: 3)
        try writer.commit()
    }

    @Test func coverageKnowsEveryByte() {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<200 {
            var (coverage, bytes) = (Coverage(), [Bool](repeating: false, count: 40))
            for _ in 0..<30 {
                let start = Int.random(in: 0..<40, using: &generator)
                let range = start..<Int.random(in: start...min(40, start + 9), using: &generator)
                let isFree = range.allSatisfy { !bytes[$0] }
                #expect(coverage.insert(range) == isFree)
                if isFree { for index in range { bytes[index] = true } }
                let low = Int.random(in: 0..<40, using: &generator)
                let window = low..<Int.random(in: low...40, using: &generator)
                let first = window.first { !bytes[$0] }
                let gap = first.map { first in first..<(window.first { $0 > first && bytes[$0] } ?? window.upperBound) }
                #expect(coverage.gap(in: window) == gap)
            }
        }
    }
}
