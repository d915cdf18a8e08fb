import DeltaCodecs
import TestSupport
import Testing

@Suite("zstd and LZ4")
struct ByteCodecTests {
    /// Bytes that compress, but not to nothing.
    private static let sample: [UInt8] = {
        var generator = SeededGenerator(seed: 1)
        return (0..<5_000).map { _ in UInt8(generator.below(4) * generator.below(4)) }
    }()

    /// What decoding to `size` bytes gives; nil if it is refused.
    private func zstd(_ frame: [UInt8], size: Int) -> [UInt8]? {
        var output = [UInt8](repeating: 0xEE, count: size)
        let result = unsafe output.withUnsafeMutableBytes { output in
            unsafe frame.withUnsafeBytes { frame in
                Result { () throws(ChunkError) in try unsafe Zstd().decompress(frame, into: output) }
            }
        }
        guard case .success = result else { return nil }
        return output
    }

    private func lz4(_ block: [UInt8], size: Int) -> [UInt8]? {
        var output = [UInt8](repeating: 0xEE, count: size)
        let result = unsafe output.withUnsafeMutableBytes { output in
            unsafe block.withUnsafeBytes { block in
                Result { () throws(ChunkError) in try unsafe LZ4.decompress(block, into: output) }
            }
        }
        guard case .success = result else { return nil }
        return output
    }

    private func lz4(compress bytes: [UInt8]) -> [UInt8] { unsafe bytes.withUnsafeBytes { unsafe LZ4.compress($0) } }

    @Test("zstd comes back at every level that is offered, and states its size", arguments: [1, 3, 19, 22])
    func zstdRoundTrip(level: Int) {
        #expect(Zstd.levels.contains(level))
        let frame = Zstd().compress(Self.sample, level: level)
        #expect(frame.count < Self.sample.count)
        #expect(Zstd.contentSize(frame) == 5_000)
        #expect(zstd(frame, size: 5_000) == Self.sample)
    }

    @Test("one byte, and a context that is used again")
    func again() {
        let codec = Zstd()
        #expect(zstd(codec.compress([7], level: 3), size: 1) == [7])
        let first = codec.compress(Self.sample, level: 19)
        #expect(codec.compress(Self.sample, level: 3) == Zstd().compress(Self.sample, level: 3))
        #expect(codec.compress(Self.sample, level: 19) == first)
    }

    @Test("zstd: other sizes than the frame's are refused", arguments: [1, 4_999, 5_001, 100_000])
    func zstdSize(size: Int) { #expect(zstd(Zstd().compress(Self.sample, level: 3), size: size) == nil) }

    @Test("zstd: whatever is not one whole frame is refused")
    func zstdFrames() {
        let frame = Zstd().compress(Self.sample, level: 3)
        #expect(zstd(frame + [0], size: 5_000) == nil)
        #expect(zstd(frame + frame, size: 10_000) == nil)
        #expect(zstd(frame + frame, size: 5_000) == nil)
        #expect(zstd(Array(frame.dropLast()), size: 5_000) == nil)
        #expect(zstd([], size: 1) == nil)
        #expect(zstd(Self.sample, size: 5_000) == nil)
        // A skippable frame of four bytes decodes to nothing.
        #expect(zstd([0x50, 0x2A, 0x4D, 0x18, 4, 0, 0, 0, 1, 2, 3, 4], size: 4) == nil)
    }

    @Test("a frame that does not state its size, and no frame")
    func contentSize() {
        // Magic, a descriptor without content size and with a window of 1 KiB, one raw last block of one byte.
        #expect(Zstd.contentSize([0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x00, 0x09, 0, 0, 7]) == nil)
        #expect(zstd([0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x00, 0x09, 0, 0, 7], size: 1) == [7])
        #expect(Zstd.contentSize([1, 2, 3]) == nil)
        #expect(Zstd.contentSize([]) == nil)
    }

    @Test("LZ4 comes back")
    func lz4RoundTrip() {
        let block = lz4(compress: Self.sample)
        #expect(block.count < Self.sample.count)
        #expect(lz4(block, size: 5_000) == Self.sample)
        var generator = SeededGenerator(seed: 2)
        let noise = generator.bytes(300)
        #expect(lz4(lz4(compress: noise), size: 300) == noise)
    }

    @Test("LZ4: other sizes than the block's are refused", arguments: [1, 4_999, 5_001, 100_000])
    func lz4Size(size: Int) { #expect(lz4(lz4(compress: Self.sample), size: size) == nil) }

    @Test("LZ4: a block that is cut, followed by bytes, or none is refused")
    func lz4Blocks() {
        let block = lz4(compress: Self.sample)
        #expect(lz4(Array(block.dropLast()), size: 5_000) == nil)
        #expect(lz4(block + [0], size: 5_000) == nil)
        #expect(lz4([], size: 1) == nil)
        #expect(lz4([0xFF, 0xFF, 0xFF], size: 5_000) == nil)
    }
}
