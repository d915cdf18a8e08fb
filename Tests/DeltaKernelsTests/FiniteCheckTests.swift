import DeltaKernels
import TensorTypes
import Testing

@Suite("Values that have no finite delta")
struct FiniteCheckTests {
    private func check<Pattern: FixedWidthInteger>(_ patterns: [Pattern], _ dtype: DType) -> Bool {
        unsafe patterns.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return true }
            return unsafe FiniteCheck.haveFiniteDeltas(start, dtype, count: patterns.count)
        }
    }

    @Test("every pattern of 16 bits", arguments: [DType.bf16, .f16])
    func sixteen(dtype: DType) {
        for pattern in UInt16.min...UInt16.max {
            let exponent: UInt16 = dtype == .bf16 ? 0x7F00 : 0x7C00
            #expect(check([0, pattern, 0x8000], dtype) == (pattern & exponent != exponent))
        }
    }

    @Test("limits of F32, at every place of a run")
    func thirtyTwo() {
        for (pattern, isFine) in [
            (0x7EFF_FFFF, true), (0x7F00_0000, false), (0x7F80_0000, false), (0xFF80_0001, false), (0xFEFF_FFFF, true),
            (0x7FFF_FFFF, false), (0, true), (0x8000_0000, true),
        ] as [(UInt32, Bool)] {
            for place in 0..<19 {
                var patterns = [UInt32](repeating: 0x3F80_0000, count: 19)
                patterns[place] = pattern
                #expect(check(patterns, .f32) == isFine)
            }
        }
    }

    @Test("no value at all")
    func empty() {
        #expect(check([UInt32](), .f32))
    }
}
