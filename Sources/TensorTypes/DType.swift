/// The element type of a tensor, as safetensors names it.
///
/// Widths are in bits, because F4 and F6 values share bytes. An unknown name is not a `DType`: readers refuse it.
public enum DType: String, CaseIterable, Sendable, Hashable {
    /// A truth value, in a byte.
    case bool = "BOOL"
    /// Floats of 4 and 6 bits: exponent and mantissa as the names say.
    case f4 = "F4", f6E2M3 = "F6_E2M3", f6E3M2 = "F6_E3M2"
    /// Integers of 8 bits.
    case u8 = "U8", i8 = "I8"
    /// Floats of 8 bits: exponent and mantissa as the names say.
    case f8E5M2 = "F8_E5M2", f8E4M3 = "F8_E4M3", f8E8M0 = "F8_E8M0"
    /// The same without infinities and without -0.
    case f8E4M3FNUZ = "F8_E4M3FNUZ", f8E5M2FNUZ = "F8_E5M2FNUZ"
    /// Integers of 16 bits.
    case i16 = "I16", u16 = "U16"
    /// Floats of 16 bits: of IEEE 754, and the upper half of binary32.
    case f16 = "F16", bf16 = "BF16"
    /// Integers of 32 bits.
    case i32 = "I32", u32 = "U32"
    /// A float of 32 bits.
    case f32 = "F32"
    /// A complex number of two floats of 32 bits.
    case c64 = "C64"
    /// A float of 64 bits.
    case f64 = "F64"
    /// Integers of 64 bits.
    case i64 = "I64", u64 = "U64"

    /// Bits that one value takes: 4 to 64.
    public var bits: Int {
        switch self {
        case .f4: 4
        case .f6E2M3, .f6E3M2: 6
        case .bool, .u8, .i8, .f8E5M2, .f8E4M3, .f8E8M0, .f8E4M3FNUZ, .f8E5M2FNUZ: 8
        case .i16, .u16, .f16, .bf16: 16
        case .i32, .u32, .f32: 32
        case .c64, .f64, .i64, .u64: 64
        }
    }

    /// Bytes of one *element* in the sense of Formats/Silt.md 4.3: types below 8 bits are counted by the byte.
    public var elementBytes: Int { max(1, bits / 8) }

    /// Where sign, exponent and mantissa lie, for the types that the residual codes (Formats/Silt.md 7); else nil.
    package var floatLayout: FloatLayout? {
        switch self {
        case .f32: FloatLayout(width: 32, mantissaBits: 23, exponentBits: 8)
        case .bf16: FloatLayout(width: 16, mantissaBits: 7, exponentBits: 8)
        case .f16: FloatLayout(width: 16, mantissaBits: 10, exponentBits: 5)
        case .f8E4M3, .f8E4M3FNUZ: FloatLayout(width: 8, mantissaBits: 3, exponentBits: 4)
        case .f8E5M2, .f8E5M2FNUZ: FloatLayout(width: 8, mantissaBits: 2, exponentBits: 5)
        default: nil
        }
    }

    /// Whether parts of this type may have components (Formats/Silt.md 12).
    package var isPredictable: Bool { self == .f32 || self == .f16 || self == .bf16 }

    /// Whether a base of this type predicts a result of type `other` after conversion (Formats/Silt.md 8.4).
    package func converts(to other: DType) -> Bool {
        let convertible: Set<DType> = [.f32, .f16, .bf16]
        return self == other || (convertible.contains(self) && convertible.contains(other))
    }
}

/// The bit fields of a binary floating-point type: one sign bit on top, then the exponent, then the mantissa.
package struct FloatLayout: Sendable, Hashable {
    /// Bits of the whole pattern: 8, 16 or 32.
    package var width: Int
    /// Bits of the mantissa; the exponent begins above them.
    package var mantissaBits: Int
    /// Bits of the exponent.
    package var exponentBits: Int
}
