internal import TensorTypes

/// Small work on the patterns of floats in memory.
enum FloatPatterns {
    /// The first value that is an infinity or a NaN; nil if there is none.
    static func firstNotFinite(_ bytes: [UInt8], _ dtype: DType) -> Int? {
        guard let layout = dtype.floatLayout, layout.width >= 16 else { return nil }
        let exponent = (UInt32(1) << UInt32(layout.exponentBits) - 1) << UInt32(layout.mantissaBits)
        let width = layout.width / 8
        return unsafe bytes.withUnsafeBytes { buffer in
            for index in 0..<buffer.count / width {
                let pattern =
                    unsafe width == 2
                    ? UInt32(UInt16(littleEndian: buffer.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)))
                    : UInt32(littleEndian: buffer.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self))
                if pattern & exponent == exponent { return index }
            }
            return nil
        }
    }

    /// How many of `count` F32, F16 or BF16 values are infinities or NaNs; 0 for other dtypes.
    static func notFinite(_ start: UnsafeRawPointer, _ dtype: DType, count: Int) -> Int {
        guard dtype.isPredictable, let layout = dtype.floatLayout else { return 0 }
        let exponent = (UInt32(1) << UInt32(layout.exponentBits) - 1) << UInt32(layout.mantissaBits)
        var found = 0
        if layout.width == 16 {
            let mask = UInt16(exponent)
            for index in 0..<count {
                let stored = unsafe start.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
                found += UInt16(littleEndian: stored) & mask == mask ? 1 : 0
            }
        } else {
            for index in 0..<count {
                let stored = unsafe start.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
                found += UInt32(littleEndian: stored) & exponent == exponent ? 1 : 0
            }
        }
        return found
    }

    /// The transpose of a matrix of elements of `width` bytes.
    static func transposed(_ bytes: [UInt8], rows: Int, columns: Int, width: Int) -> [UInt8] {
        precondition(bytes.count == rows * columns * width, "the bytes are those of the matrix")
        var result = [UInt8](repeating: 0, count: bytes.count)
        unsafe bytes.withUnsafeBytes { source in
            unsafe result.withUnsafeMutableBytes { target in
                for column in 0..<columns {
                    for row in 0..<rows {
                        let from = (row * columns + column) * width
                        let to = (column * rows + row) * width
                        for byte in 0..<width { unsafe target[to + byte] = source[from + byte] }
                    }
                }
            }
        }
        return result
    }
}
