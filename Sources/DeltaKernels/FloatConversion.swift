internal import CSiltKernels
package import TensorTypes

/// Conversion between F32, F16 and BF16, the same bits on every machine (Formats/Silt.md, section 8.4).
package enum FloatConversion {
    /// Converts `count` values; both types are among F32, F16 and BF16 (`DType.converts(to:)`).
    package static func convert(
        _ source: UnsafeRawPointer, _ from: DType, to target: UnsafeMutableRawPointer, _ to: DType, count: Int
    ) {
        guard let from = code(from), let to = code(to) else {
            preconditionFailure("no conversion between these dtypes")
        }
        unsafe silt_convert(from, to, source, target, count)
    }

    /// `count` values of `dtype` as Float, in `buffer`.
    package static func floats(
        _ values: UnsafeRawPointer, _ dtype: DType, _ count: Int, _ buffer: ByteBuffer
    ) -> UnsafePointer<Float> {
        buffer.reserve(4 * count)
        unsafe convert(values, dtype, to: buffer.start, .f32, count: count)
        return unsafe UnsafePointer(buffer.start.bindMemory(to: Float.self, capacity: count))
    }

    /// The nearest value that BF16 has, ties to even.
    package static func brain(_ value: Float) -> Float {
        var (value, pattern) = (value, UInt16(0))
        unsafe silt_convert(Int32(SILT_F32), Int32(SILT_BF16), &value, &pattern, 1)
        return Float(bitPattern: UInt32(pattern) << 16)
    }

    static func code(_ dtype: DType) -> Int32? {
        switch dtype {
        case .f32: Int32(SILT_F32)
        case .f16: Int32(SILT_F16)
        case .bf16: Int32(SILT_BF16)
        default: nil
        }
    }
}
