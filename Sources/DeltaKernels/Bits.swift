internal import CSiltKernels

/// Comparison of bits: floats that compare equal may differ (-0.0), and those that do not may be the same (NaN).
package enum Bits {
    /// Whether `count` bytes are equal.
    package static func areEqual(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, bytes count: Int) -> Bool {
        unsafe silt_equal(a, b, count) != 0
    }
}
