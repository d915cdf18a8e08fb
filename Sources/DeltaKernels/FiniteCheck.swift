package import TensorTypes

/// Looks for infinities and NaNs.
package enum FiniteCheck {
    /// Whether none of `count` values is an infinity or a NaN; the type is among F32, F16 and BF16.
    package static func areFinite(_ values: UnsafeRawPointer, _ dtype: DType, count: Int) -> Bool {
        if dtype == .f32 {
            let patterns = unsafe values.assumingMemoryBound(to: UInt32.self)
            var found = false
            for index in 0..<count { unsafe found = found || (patterns[index] & 0x7F80_0000) == 0x7F80_0000 }
            return !found
        }
        let exponent: UInt16 = dtype == .bf16 ? 0x7F80 : 0x7C00
        let patterns = unsafe values.assumingMemoryBound(to: UInt16.self)
        var found = false
        for index in 0..<count { unsafe found = found || (patterns[index] & exponent) == exponent }
        return !found
    }
}
