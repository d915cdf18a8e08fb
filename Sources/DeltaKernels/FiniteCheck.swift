package import TensorTypes

/// Looks for values that have no finite delta.
package enum FiniteCheck {
    /// Whether all of `count` values are finite, and so small that the difference of two of them is finite in F32: below 2^127.
    ///
    /// The type is among F32, F16 and BF16.
    package static func haveFiniteDeltas(_ values: UnsafeRawPointer, _ dtype: DType, count: Int) -> Bool {
        if dtype == .f32 {
            let patterns = unsafe values.assumingMemoryBound(to: UInt32.self)
            var found = false
            for index in 0..<count { unsafe found = found || (patterns[index] & 0x7F00_0000) == 0x7F00_0000 }
            return !found
        }
        // F16 has no value near the limits of F32.
        let exponent: UInt16 = dtype == .bf16 ? 0x7F00 : 0x7C00
        let patterns = unsafe values.assumingMemoryBound(to: UInt16.self)
        var found = false
        for index in 0..<count { unsafe found = found || (patterns[index] & exponent) == exponent }
        return !found
    }
}
