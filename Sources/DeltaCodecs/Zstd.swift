internal import CZstd

/// zstd frames, through libzstd.
@safe package final class Zstd {
    /// Levels that `compress` takes.
    package static let levels = 1...22
    /// The library's version, like `1.5.4`.
    package static var version: String { unsafe String(cString: ZSTD_versionString()) }

    private let compressor: OpaquePointer
    private let decompressor: OpaquePointer

    /// Contexts that one worker uses again and again.
    package init() {
        guard let compressor = unsafe ZSTD_createCCtx(), let decompressor = unsafe ZSTD_createDCtx() else {
            preconditionFailure("no memory for a zstd context")
        }
        unsafe self.compressor = compressor
        unsafe self.decompressor = decompressor
    }

    deinit {
        unsafe ZSTD_freeCCtx(compressor)
        unsafe ZSTD_freeDCtx(decompressor)
    }

    /// One frame that states its content size.
    package func compress(_ bytes: UnsafeRawBufferPointer, level: Int) -> [UInt8] {
        let bound = ZSTD_compressBound(bytes.count)
        return unsafe [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
            let size = unsafe ZSTD_compressCCtx(
                compressor, buffer.baseAddress, bound, bytes.baseAddress, bytes.count, Int32(level))
            precondition(ZSTD_isError(size) == 0, "zstd cannot fail with room for its bound")
            count = size
        }
    }

    /// One frame that states its content size.
    package func compress(_ bytes: [UInt8], level: Int) -> [UInt8] {
        unsafe bytes.withUnsafeBytes { unsafe compress($0, level: level) }
    }

    /// Decodes one frame to exactly the size of `output`.
    package func decompress(
        _ frame: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(ChunkError) {
        let frameSize = unsafe ZSTD_findFrameCompressedSize(frame.baseAddress, frame.count)
        guard ZSTD_isError(frameSize) == 0 else { throw ChunkError(reason: "it is not a whole zstd frame") }
        guard frameSize == frame.count else { throw ChunkError(reason: "bytes follow its zstd frame") }
        let size = unsafe ZSTD_decompressDCtx(
            decompressor, output.baseAddress, output.count, frame.baseAddress, frame.count)
        guard ZSTD_isError(size) == 0 else {
            throw ChunkError(reason: unsafe "zstd says: \(String(cString: ZSTD_getErrorName(size)))")
        }
        guard size == output.count else {
            throw ChunkError(reason: "its zstd frame decodes to \(size) bytes instead of \(output.count)")
        }
    }

    /// The size that a frame's header states; nil if it states none or is no frame.
    package static func contentSize(_ frame: [UInt8]) -> UInt64? {
        let size = unsafe frame.withUnsafeBytes { unsafe ZSTD_getFrameContentSize($0.baseAddress, $0.count) }
        // The two largest values are ZSTD_CONTENTSIZE_UNKNOWN and ZSTD_CONTENTSIZE_ERROR.
        return size >= UInt64.max - 1 ? nil : size
    }
}
