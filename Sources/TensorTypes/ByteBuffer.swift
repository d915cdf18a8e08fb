/// A buffer that a worker uses again and again: aligned to 64 bytes, with readable bytes past its end for wide loads.
///
/// It is not synchronised: one worker owns it. It never shrinks, so a worker's memory is that of its largest chunk.
@safe package final class ByteBuffer: @unchecked Sendable {
    /// Readable bytes past the capacity (`SILT_PADDING` of the kernels).
    package static let padding = 128

    private var storage: UnsafeMutableRawBufferPointer

    package init(capacity: Int = 0) {
        unsafe storage = ByteBuffer.allocate(capacity)
    }

    deinit { unsafe storage.deallocate() }

    private static func allocate(_ capacity: Int) -> UnsafeMutableRawBufferPointer {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity + padding, alignment: 64)
        // Wide loads read the padding; it must not be uninitialised.
        unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[capacity...]).initializeMemory(
            as: UInt8.self, repeating: 0)
        return unsafe buffer
    }

    /// Bytes that the buffer holds.
    package var capacity: Int { unsafe storage.count - ByteBuffer.padding }

    /// Makes room for `bytes`; what was in the buffer is lost if it grows.
    package func reserve(_ bytes: Int) {
        guard bytes > capacity else { return }
        unsafe storage.deallocate()
        unsafe storage = ByteBuffer.allocate(bytes)
    }

    /// The first `count` bytes; `count` is at most `capacity`.
    package func prefix(_ count: Int) -> UnsafeMutableRawBufferPointer {
        precondition(count <= capacity)
        return unsafe UnsafeMutableRawBufferPointer(start: storage.baseAddress, count: count)
    }

    /// Where the bytes begin.
    package var start: UnsafeMutableRawPointer {
        guard let start = unsafe storage.baseAddress else { preconditionFailure("an allocation is never empty") }
        return unsafe start
    }
}
