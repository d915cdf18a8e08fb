package import TensorTypes

/// Looks for values that have no finite delta.
package enum FiniteCheck {
    /// Whether all of `count` values are finite, and so small that the difference of two of them is finite in F32: below 2^127.
    ///
    /// The type is among F32, F16 and BF16.
    package static func haveFiniteDeltas(_ values: UnsafeRawPointer, _ dtype: DType, count: Int) -> Bool {
        // The least of the bits that are missing in the exponent; a loop that does not stop early works on many at once.
        if dtype == .f32 {
            let patterns = unsafe values.assumingMemoryBound(to: Int32.self)
            var least = Int32.max
            for index in 0..<count { unsafe least = min(least, ~patterns[index] & 0x7F00_0000) }
            return least != 0
        }
        // F16 has no value near the limits of F32.
        let exponent: Int16 = dtype == .bf16 ? 0x7F00 : 0x7C00
        let patterns = unsafe values.assumingMemoryBound(to: Int16.self)
        var least = Int16.max
        for index in 0..<count { unsafe least = min(least, ~patterns[index] & exponent) }
        return least != 0
    }
}
