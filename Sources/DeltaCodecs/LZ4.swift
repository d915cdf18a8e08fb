internal import CLZ4

/// LZ4 blocks, through liblz4.
package enum LZ4 {
    /// One block.
    ///
    /// `bytes` is at most 2^30 bytes.
    package static func compress(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        let bound = LZ4_compressBound(Int32(bytes.count))
        return unsafe [UInt8](unsafeUninitializedCapacity: Int(bound)) { buffer, count in
            guard let source = bytes.baseAddress, let target = buffer.baseAddress else { return }
            count = unsafe Int(
                LZ4_compress_default(
                    source.assumingMemoryBound(to: CChar.self),
                    UnsafeMutableRawPointer(target).assumingMemoryBound(to: CChar.self), Int32(bytes.count), bound))
        }
    }

    /// Decodes one block to exactly the size of `output`.
    package static func decompress(
        _ block: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(ChunkError) {
        guard let source = block.baseAddress, let target = output.baseAddress,
            let blockSize = Int32(exactly: block.count),
            let outputSize = Int32(exactly: output.count)
        else { throw ChunkError(reason: "it is not an LZ4 block") }
        let size = unsafe LZ4_decompress_safe(
            source.assumingMemoryBound(to: CChar.self), target.assumingMemoryBound(to: CChar.self), blockSize,
            outputSize)
        guard size == outputSize else {
            throw ChunkError(
                reason: size < 0
                    ? "it is not an LZ4 block of at most \(outputSize) bytes"
                    : "its LZ4 block decodes to \(size) bytes instead of \(outputSize)")
        }
    }
}
