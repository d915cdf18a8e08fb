internal import DeltaCodecs
internal import DeltaKernels
package import SiltFormat
internal import TensorTypes

/// Codes elements with a codec that knows nothing of floats (Formats/Silt.md, section 8.1).
package enum ByteCodec {
    /// The chunk of `count` elements of `width` bytes; with `base`, of their xor.
    package static func encode(
        _ codec: Codec, level: Int, result: UnsafeRawPointer, base: UnsafeRawPointer?, count: Int, width: Int,
        _ worker: PackWorker
    ) -> [UInt8] {
        worker.planes.reserve(count * width)
        let planes = unsafe worker.planes.prefix(count * width)
        if codec == .none {
            unsafe worker.planes.start.copyMemory(from: result, byteCount: count * width)
            if let base = unsafe base { unsafe Planes.xor(worker.planes.start, base, bytes: count * width) }
            return unsafe Array(planes)
        }
        unsafe Planes.split(width: width, result, base: base, count: count, into: worker.planes.start)
        return codec == .lz4
            ? unsafe LZ4.compress(UnsafeRawBufferPointer(planes))
            : unsafe worker.zstd.compress(UnsafeRawBufferPointer(planes), level: level)
    }
}
