internal import TensorTypes

/// Which elements a sparse layout leaves out.
struct ZeroTest {
    private let width: Int
    /// The bits of an element's last byte that must be 0.
    private let mask: UInt8

    /// Without `keepsNegativeZeros`, -0 counts as zero, as for compressed-tensors.
    init(_ dtype: DType, keepsNegativeZeros: Bool) {
        width = dtype.elementBytes
        let isSigned = [.f64, .f32, .f16, .bf16, .f8E4M3, .f8E5M2].contains(dtype)
        mask = isSigned && !keepsNegativeZeros ? 0x7F : 0xFF
    }

    /// Whether element `index` of `bytes` is left out.
    func isZero(_ bytes: [UInt8], _ index: Int) -> Bool {
        let last = (index + 1) * width - 1
        guard bytes[last] & mask == 0 else { return false }
        for byte in index * width..<last where bytes[byte] != 0 { return false }
        return true
    }

    /// How many elements are left out though they have a sign.
    func negativeZeros(_ bytes: [UInt8]) -> Int {
        guard mask == 0x7F else { return 0 }
        return (0..<bytes.count / width).count { bytes[($0 + 1) * width - 1] == 0x80 && isZero(bytes, $0) }
    }
}
