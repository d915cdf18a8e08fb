#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
import TensorTypes

/// Coded input that ends as the kernels may assume it to, and not a byte later.
package enum GuardedBytes {
    /// Gives `body` a copy of `bytes`, which may be read for `ByteBuffer.padding` bytes past their end; the page after that may
    /// not be touched.
    package static func with<R, E: Error>(
        _ bytes: [UInt8], _ body: (UnsafePointer<UInt8>) throws(E) -> R
    ) throws(E) -> R {
        let page = Int(getpagesize())
        let size = (bytes.count + ByteBuffer.padding + page - 1) / page * page
        let map = unsafe mmap(nil, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0)
        guard let map = unsafe map, unsafe map != MAP_FAILED, unsafe mprotect(map + size, page, PROT_NONE) == 0 else {
            preconditionFailure("no memory for a guarded buffer")
        }
        defer { unsafe munmap(map, size + page) }
        let start = unsafe map + size - ByteBuffer.padding - bytes.count
        unsafe UnsafeMutableRawBufferPointer(start: start, count: bytes.count).copyBytes(from: bytes)
        return try unsafe body(UnsafePointer(start.assumingMemoryBound(to: UInt8.self)))
    }
}
