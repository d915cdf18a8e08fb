import TensorTypes
import Testing

@Suite("Dtypes")
struct DTypeTests {
    /// The dtypes of the safetensors format with their bits, in the reference's order.
    private static let specification: [(name: String, bits: Int)] = [
        ("BOOL", 8), ("F4", 4), ("F6_E2M3", 6), ("F6_E3M2", 6), ("U8", 8), ("I8", 8), ("F8_E5M2", 8), ("F8_E4M3", 8),
        ("F8_E8M0", 8), ("F8_E4M3FNUZ", 8), ("F8_E5M2FNUZ", 8), ("I16", 16), ("U16", 16), ("F16", 16), ("BF16", 16),
        ("I32", 32), ("U32", 32), ("F32", 32), ("C64", 64), ("F64", 64), ("I64", 64), ("U64", 64),
    ]

    @Test("names, bits and order are those of the format")
    func specification() {
        #expect(DType.allCases.map(\.rawValue) == Self.specification.map(\.name))
        #expect(DType.allCases.map(\.bits) == Self.specification.map(\.bits))
    }

    @Test("other names are no dtypes", arguments: ["", "f32", "F32 ", "FLOAT32", "F8_E5M3", "U4", "bool"])
    func unknown(name: String) { #expect(DType(rawValue: name) == nil) }

    @Test("elements of types below 8 bits are bytes", arguments: DType.allCases)
    func elements(dtype: DType) { #expect(dtype.elementBytes == max(dtype.bits, 8) / 8) }

    @Test("the fields of a float fill its width", arguments: DType.allCases)
    func layouts(dtype: DType) throws {
        let coded: Set<DType> = [.f32, .f16, .bf16, .f8E4M3, .f8E5M2, .f8E4M3FNUZ, .f8E5M2FNUZ]
        #expect((dtype.floatLayout != nil) == coded.contains(dtype))
        guard let layout = dtype.floatLayout else { return }
        #expect(layout.width == dtype.bits)
        #expect(1 + layout.exponentBits + layout.mantissaBits == layout.width)
    }

    @Test("conversion is among F32, F16 and BF16, or none at all")
    func conversions() {
        let convertible: Set<DType> = [.f32, .f16, .bf16]
        for first in DType.allCases {
            for second in DType.allCases {
                let expected = first == second || (convertible.contains(first) && convertible.contains(second))
                #expect(first.converts(to: second) == expected)
            }
        }
    }
}
