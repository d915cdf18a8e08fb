internal import DeltaCodecs
internal import DeltaKernels
package import SiltFormat
internal import TensorTypes

/// Codes elements with codecs that know nothing of floats (Formats/Silt.md, section 8.1), in buffers of its own.
package final class ByteCoder {
    private let planes = ByteBuffer()
    private let zstd = Zstd()

    package init() {}

    /// The chunk of `count` elements of `width` bytes; with `base`, of their xor.
    package func encode(
        _ codec: Codec, level: Int, result: UnsafeRawPointer, base: UnsafeRawPointer?, count: Int, width: Int
    ) -> [UInt8] {
        planes.reserve(count * width)
        let bytes = unsafe planes.prefix(count * width)
        if codec == .none {
            unsafe planes.start.copyMemory(from: result, byteCount: count * width)
            if let base = unsafe base { unsafe Planes.xor(planes.start, base, bytes: count * width) }
            return unsafe Array(bytes)
        }
        unsafe Planes.split(width: width, result, base: base, count: count, into: planes.start)
        return codec == .lz4
            ? unsafe LZ4.compress(UnsafeRawBufferPointer(bytes))
            : unsafe compress(UnsafeRawBufferPointer(bytes), level: level)
    }

    /// The same with planes under tables of rANS; `words` is for the coder.
    func encode(
        _ planes: PlaneEncoder, result: UnsafeRawPointer, base: UnsafeRawPointer?, count: Int, width: Int,
        words: ByteBuffer
    ) -> [UInt8] {
        self.planes.reserve(count * width)
        unsafe Planes.split(width: width, result, base: base, count: count, into: self.planes.start)
        return unsafe planes.encode(self.planes.start, count: count, words: words)
    }

    /// A zstd frame.
    func compress(_ bytes: UnsafeRawBufferPointer, level: Int) -> [UInt8] {
        unsafe zstd.compress(bytes, level: level)
    }

    /// Whether an empty chunk stands for these bytes: they equal the base's or, without a base, are 0.
    package static func isTrivial(_ result: UnsafeRawPointer, _ base: UnsafeRawPointer?, bytes: Int) -> Bool {
        if let base = unsafe base { return unsafe Bits.areEqual(base, result, bytes: bytes) }
        return unsafe UnsafeRawBufferPointer(start: result, count: bytes).allSatisfy { $0 == 0 }
    }
}
