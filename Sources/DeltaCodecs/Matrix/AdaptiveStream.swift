internal import CSiltKernels
package import TensorTypes

/// Adaptive streams of integers (Formats/Silt.md, section 12.5).
package enum AdaptiveStream {
    /// Codes integers below 2^24 in magnitude, not negative unless `isSigned`.
    ///
    /// `room` is space for the longest stream that they could take.
    package static func encode(
        _ values: UnsafePointer<Int32>, count: Int, isSigned: Bool, room: ByteBuffer
    ) -> [UInt8] {
        let longest = Int(SILT_ADAPTIVE_BYTES) * count + 8
        room.reserve(longest)
        let stream = unsafe room.start.assumingMemoryBound(to: UInt8.self)
        let size = unsafe silt_adaptive_encode(values, count, isSigned ? 1 : 0, stream)
        return unsafe Array(UnsafeBufferPointer(start: stream, count: size))
    }

    /// Codes integers below 2^24 in magnitude, not negative unless `isSigned`.
    package static func encode(_ values: [Int32], isSigned: Bool, room: ByteBuffer = ByteBuffer()) -> [UInt8] {
        unsafe encode(values, count: values.count, isSigned: isSigned, room: room)
    }

    /// Decodes `count` integers.
    package static func decode(
        _ stream: UnsafeRawBufferPointer, count: Int, isSigned: Bool, into values: UnsafeMutablePointer<Int32>
    ) throws(ChunkError) {
        let sign: Int32 = isSigned ? 1 : 0
        let status: Int32
        if let start = unsafe stream.baseAddress?.assumingMemoryBound(to: UInt8.self) {
            status = unsafe silt_adaptive_decode(start, stream.count, count, sign, values)
        } else {
            status = unsafe silt_adaptive_decode([0], 0, count, sign, values)
        }
        guard status == Int32(SILT_OK) else { throw ChunkError(reason: Rans.reason(status)) }
    }
}
