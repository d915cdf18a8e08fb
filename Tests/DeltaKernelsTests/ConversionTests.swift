import DeltaKernels
import TensorTypes
import TestSupport
import Testing

/// A type of 16 bits.
private struct Layout {
    let mantissaBits: Int
    let exponentBits: Int

    static let half = Layout(mantissaBits: 10, exponentBits: 5)
    static let brain = Layout(mantissaBits: 7, exponentBits: 8)
}

/// Narrowing as the text has it (section 8.4): the nearest of all patterns, found among their values.
private struct SlowFloat {
    /// Values of the patterns 0, 1, 2, … up to the one that stands for infinity, whose value is what would come next.
    private let values: [Double]
    private let layout: Layout

    init(_ layout: Layout) {
        self.layout = layout
        let infinity = (1 << layout.exponentBits - 1) << layout.mantissaBits
        values = (0...infinity).map { SlowFloat.value($0, layout) }
    }

    /// The value of a positive pattern, by the definition of binary floating point.
    static func value(_ pattern: Int, _ layout: Layout) -> Double {
        let exponent = pattern >> layout.mantissaBits
        let mantissa = Double(pattern & (1 << layout.mantissaBits - 1)) / Double(1 << layout.mantissaBits)
        let bias = 1 << (layout.exponentBits - 1) - 1
        func power(_ exponent: Int) -> Double { Double(sign: .plus, exponent: exponent, significand: 1) }
        return exponent == 0 ? mantissa * power(1 - bias) : (1 + mantissa) * power(exponent - bias)
    }

    /// The pattern for a magnitude that is no NaN.
    func nearest(_ magnitude: Double) -> Int {
        let top = values.count - 1
        guard magnitude < values[top] else { return top }
        var (low, high) = (0, top)
        while high - low > 1 {
            let middle = (low + high) / 2
            if values[middle] <= magnitude { low = middle } else { high = middle }
        }
        let (below, above) = (magnitude - values[low], values[high] - magnitude)
        return below < above ? low : below > above ? high : low % 2 == 0 ? low : high
    }

    /// F32 to this type.
    func narrow(_ bits: UInt32) -> UInt16 {
        let sign = UInt16(bits >> 31) << 15
        let magnitude = bits & 0x7FFF_FFFF
        guard magnitude <= 0x7F80_0000 else {
            let mantissa = bits & 0x7F_FFFF
            return layout.mantissaBits == 7
                ? UInt16(bits >> 16) | 0x40 : sign | 0x7E00 | UInt16(truncatingIfNeeded: mantissa >> 13)
        }
        return sign | UInt16(nearest(magnitude == 0x7F80_0000 ? .infinity : Double(Float(bitPattern: magnitude))))
    }

    /// This type to F32.
    func widen(_ bits: UInt16) -> UInt32 {
        let sign = UInt32(bits >> 15) << 31
        let infinity = values.count - 1
        let magnitude = Int(bits & 0x7FFF)
        if magnitude > infinity {
            return sign | 0x7F80_0000 | UInt32(magnitude - infinity) << UInt32(23 - layout.mantissaBits)
        }
        return sign | (magnitude == infinity ? Float.infinity : Float(values[magnitude])).bitPattern
    }
}

@Suite("Conversion of floats (section 8.4)")
struct ConversionTests {
    private func convert(_ patterns: BitPatterns, _ from: DType, _ to: DType) -> [UInt8] {
        let (source, target) = (patterns.buffer, ByteBuffer(capacity: 4 * patterns.values.count))
        unsafe FloatConversion.convert(source.start, from, to: target.start, to, count: patterns.values.count)
        return target.bytes(patterns.values.count * to.elementBytes)
    }

    /// Expects that patterns become others, and tells the first that does not.
    private func expect(
        _ patterns: [UInt32], _ from: DType, _ to: DType, _ expected: [UInt32],
        _ location: SourceLocation = #_sourceLocation
    ) {
        let found = convert(BitPatterns(width: from.bits, values: patterns), from, to)
        let wanted = BitPatterns(width: to.bits, values: expected).bytes
        guard found != wanted else { return }
        let index =
            (zip(found, wanted).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? 0) / to.elementBytes
        let bytes = found[index * to.elementBytes..<(index + 1) * to.elementBytes]
        Issue.record(
            "\(from.rawValue) 0x\(String(patterns[index], radix: 16)) to \(to.rawValue): found \(Array(bytes)), expected 0x\(String(expected[index], radix: 16))",
            sourceLocation: location)
    }

    private let all = (0...UInt32(UInt16.max)).map { $0 }

    @Test("every F16 and BF16 is widened")
    func widening() {
        let (half, brain) = (SlowFloat(.half), SlowFloat(.brain))
        expect(all, .f16, .f32, all.map { half.widen(UInt16($0)) })
        expect(all, .bf16, .f32, all.map { brain.widen(UInt16($0)) })
        expect(all, .bf16, .f32, all.map { $0 << 16 })
    }

    @Test("every F16 becomes BF16, and every BF16 F16")
    func across() {
        let (half, brain) = (SlowFloat(.half), SlowFloat(.brain))
        expect(all, .f16, .bf16, all.map { UInt32(brain.narrow(half.widen(UInt16($0)))) })
        expect(all, .bf16, .f16, all.map { UInt32(half.narrow(brain.widen(UInt16($0)))) })
    }

    @Test("what is widened is narrowed to itself, but for NaNs that become quiet", arguments: [DType.f16, .bf16])
    func thereAndBack(dtype: DType) throws {
        let layout = try #require(dtype.floatLayout)
        let infinity = UInt32((1 << layout.exponentBits - 1) << layout.mantissaBits)
        let wide = convert(BitPatterns(width: 16, values: all), dtype, .f32)
        let patterns = stride(from: 0, to: wide.count, by: 4).map { offset in
            wide[offset..<offset + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
        let quiet = UInt32(1) << UInt32(layout.mantissaBits - 1)
        expect(patterns, .f32, dtype, all.map { $0 & 0x7FFF > infinity ? $0 | quiet : $0 })
    }

    @Test("F32 near every boundary of rounding is narrowed to F16")
    func narrowingToHalf() {
        let slow = SlowFloat(.half)
        var patterns: [UInt32] = []
        for pattern in 0..<0x7C00 {
            let value = SlowFloat.value(pattern, .half)
            let middle = Float((value + SlowFloat.value(pattern + 1, .half)) / 2).bitPattern
            let exact = Float(value).bitPattern
            let signs: UInt32 = pattern % 2 == 0 ? 0 : 0x8000_0000
            patterns += [exact &+ 1, middle &- 1, middle, middle &+ 1].map { $0 | signs }
        }
        expect(patterns, .f32, .f16, patterns.map { UInt32(slow.narrow($0)) })
    }

    @Test("F32 near every boundary of rounding is narrowed to BF16")
    func narrowingToBrain() {
        let slow = SlowFloat(.brain)
        let patterns = all.flatMap { upper in [0x7FFF, 0x8000, 0x8001].map { upper << 16 | $0 } }
        expect(patterns, .f32, .bf16, patterns.map { UInt32(slow.narrow($0)) })
    }

    @Test("zeros, the ends of the ranges, infinities and NaN payloads of F32")
    func corners() {
        let magnitudes: [UInt32] = [
            0, 1, 0x32FF_FFFF, 0x3300_0000, 0x3300_0001, 0x337F_FFFF, 0x3380_0000, 0x387F_C000, 0x387F_E000,
            0x387F_FFFF,
            0x3880_0000, 0x477F_DFFF, 0x477F_EFFF, 0x477F_F000, 0x4780_0000, 0x7F7F_7FFF, 0x7F7F_8000, 0x7F7F_FFFF,
            0x7F80_0000, 0x7F80_0001, 0x7F80_FFFF, 0x7FA0_0000, 0x7FBF_FFFF, 0x7FC0_0000, 0x7FC0_1234, 0x7FFF_FFFF,
        ]
        let patterns = magnitudes + magnitudes.map { $0 | 0x8000_0000 }
        let (half, brain) = (SlowFloat(.half), SlowFloat(.brain))
        expect(patterns, .f32, .f16, patterns.map { UInt32(half.narrow($0)) })
        expect(patterns, .f32, .bf16, patterns.map { UInt32(brain.narrow($0)) })
        // Spelt out, so that an error of the oracle shows.
        expect([0x7F80_0001, 0xFFA0_0000, 0x477F_EFFF, 0x477F_F000], .f32, .f16, [0x7E00, 0xFF00, 0x7BFF, 0x7C00])
        expect([0x7F80_0001, 0xFFA0_0000, 0x7F7F_8000, 0x0000_8000], .f32, .bf16, [0x7FC0, 0xFFE0, 0x7F80, 0])
        expect([0x8000, 0x0001, 0x7C01, 0xFC00], .f16, .f32, [0x8000_0000, 0x3380_0000, 0x7F80_2000, 0xFF80_0000])
    }

    @Test("random F32", arguments: 1...2)
    func random(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let (half, brain) = (SlowFloat(.half), SlowFloat(.brain))
        let patterns = (0..<20_000).map { _ in UInt32(truncatingIfNeeded: generator.next()) }
        expect(patterns, .f32, .f16, patterns.map { UInt32(half.narrow($0)) })
        expect(patterns, .f32, .bf16, patterns.map { UInt32(brain.narrow($0)) })
    }
}
