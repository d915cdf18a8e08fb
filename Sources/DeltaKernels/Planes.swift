internal import CSiltKernels

/// Byte planes and bits (Formats/Silt.md, section 8).
package enum Planes {
    /// Splits `count` elements of `width` bytes (1, 2, 4 or 8) into planes; with `base`, the elements xor the base's.
    package static func split(
        width: Int, _ data: UnsafeRawPointer, base: UnsafeRawPointer?, count: Int, into planes: UnsafeMutableRawPointer
    ) {
        unsafe silt_planes_split(
            UInt32(width), data.assumingMemoryBound(to: UInt8.self), base?.assumingMemoryBound(to: UInt8.self), count,
            planes.assumingMemoryBound(to: UInt8.self))
    }

    /// The inverse of `split`.
    package static func merge(
        width: Int, _ planes: UnsafeRawPointer, base: UnsafeRawPointer?, count: Int, into data: UnsafeMutableRawPointer
    ) {
        unsafe silt_planes_merge(
            UInt32(width), planes.assumingMemoryBound(to: UInt8.self), base?.assumingMemoryBound(to: UInt8.self), count,
            data.assumingMemoryBound(to: UInt8.self))
    }

    /// Adds to `counts` how often each byte comes in each plane; with `base`, of the elements xor the base's.
    package static func count(
        width: Int, _ data: UnsafeRawPointer, base: UnsafeRawPointer?, count: Int, into counts: inout [[UInt64]]
    ) {
        var histogram = [UInt32](repeating: 0, count: 256 * width)
        unsafe histogram.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            unsafe silt_planes_count(
                UInt32(width), data.assumingMemoryBound(to: UInt8.self), base?.assumingMemoryBound(to: UInt8.self),
                count,
                start)
        }
        for plane in 0..<width {
            for value in 0..<256 { counts[plane][value] += UInt64(histogram[256 * plane + value]) }
        }
    }

    /// data ^= base, byte by byte.
    package static func xor(_ data: UnsafeMutableRawPointer, _ base: UnsafeRawPointer, bytes: Int) {
        unsafe silt_xor(data.assumingMemoryBound(to: UInt8.self), base.assumingMemoryBound(to: UInt8.self), bytes)
    }
}
