import DeltaKernels
import TensorTypes
import TestSupport
import Testing

@Suite("Base plus components (section 12.2)")
struct PredictionTests {
    private static let dtypes: [DType] = [.f32, .f16, .bf16]

    /// Sums of every kind: like deltas, any bits, special values.
    private func sums(_ count: Int, _ generator: inout SeededGenerator) -> [Float] {
        let special: [UInt32] = [
            0, 0x8000_0000, 0x7F80_0000, 0xFF80_0000, 0x7FC0_0001, 0x7F80_0001, 1, 0x8000_0001, 0x7F7F_FFFF,
            0x3880_0000, 0x477F_F000,
        ]
        return (0..<count).map { _ in
            let bits = UInt32(truncatingIfNeeded: generator.next())
            return switch generator.below(4) {
            case 0: Float(bitPattern: special[generator.below(special.count)])
            case 1: Float(bitPattern: bits)
            default: Float(Int32(bitPattern: bits)) / 0x1_0000_0000
            }
        }
    }

    private func widen(_ pattern: UInt32, _ dtype: DType) -> Float {
        switch dtype {
        case .f32: Float(bitPattern: pattern)
        case .bf16: Float(bitPattern: pattern << 16)
        default: Float(Float16(bitPattern: UInt16(pattern)))
        }
    }

    /// Items 1 and 2 of section 12.2; the narrowing is that of the kernels, which has tests of its own.
    private func slow(_ base: UInt32, _ sum: Float, _ dtype: DType) -> UInt32 {
        let b = widen(base, dtype)
        if !b.isFinite || sum == 0 { return base }
        let v = b + sum
        let bits = BitPatterns(width: 32, values: [v.isNaN ? 0x7FC0_0000 : v.bitPattern])
        let (source, target) = (bits.buffer, ByteBuffer(capacity: 4))
        unsafe FloatConversion.convert(source.start, .f32, to: target.start, dtype, count: 1)
        return target.bytes(dtype.elementBytes).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    @Test("as the text says, at every level", arguments: dtypes, KernelLevel.available)
    func prediction(dtype: DType, level: KernelLevel) throws {
        var generator = SeededGenerator(seed: 11)
        let layout = try #require(dtype.floatLayout)
        for kind in BitPatterns.Kind.allCases {
            for count in [1, 7, 8, 15, 16, 17, 33, 3_001] {
                let base = BitPatterns(kind, layout, count: count, using: &generator)
                let sums = sums(count, &generator)
                let (from, target) = (base.buffer, ByteBuffer(capacity: 4 * count))
                unsafe Prediction.apply(
                    dtype, base: from.start, sum: sums, count: count, into: target.start, level: level)
                let expected = BitPatterns(
                    width: dtype.bits, values: zip(base.values, sums).map { slow($0, $1, dtype) })
                let isEqual = target.bytes(count * dtype.elementBytes) == expected.bytes
                #expect(isEqual, "\(kind), \(count)")
            }
        }
    }

    @Test("a base that stays keeps its bits, and NaNs of the sum are one")
    func corners() {
        let base: [UInt32] = [0x7FA0_0001, 0xFF80_0000, 0x8000_0000, 0, 0x3F80_0000, 0x7F7F_FFFF]
        let sums: [Float] = [1, -.infinity, -0.0, -0.0, Float(bitPattern: 0xFFFF_FFFF), .greatestFiniteMagnitude]
        for level in KernelLevel.available {
            // Long enough for every form.
            let patterns = BitPatterns(width: 32, values: (0..<8).flatMap { _ in base })
            let (from, target) = (patterns.buffer, ByteBuffer(capacity: 4 * 48))
            unsafe Prediction.apply(
                .f32, base: from.start, sum: (0..<8).flatMap { _ in sums }, count: 48, into: target.start, level: level)
            let expected: [UInt32] = [0x7FA0_0001, 0xFF80_0000, 0x8000_0000, 0, 0x7FC0_0000, 0x7F80_0000]
            #expect(
                target.bytes(192) == BitPatterns(width: 32, values: (0..<8).flatMap { _ in expected }).bytes)
        }
    }

    @Test("low rank: one chain of fused multiply-adds for each element", arguments: KernelLevel.available)
    func lowRank(level: KernelLevel) {
        var generator = SeededGenerator(seed: 12)
        for (rows, columns, rank) in [
            (1, 1, 1), (3, 5, 2), (4, 16, 3), (5, 17, 8), (9, 64, 5), (8, 130, 16), (7, 79, 1), (2, 257, 33),
        ] {
            let stride = rows + 3
            func factor(_ count: Int) -> [Float] {
                (0..<count).map { _ in
                    let scale: Float = [1, 1e-3, 1e-30, 1e18, 0][generator.below(5)]
                    return Float(Int32(truncatingIfNeeded: generator.next())) / 0x8000_0000 * scale
                }
            }
            let left = factor(stride * rank)
            let right = factor(columns * rank)
            for scale: Float? in [nil, 0.3] {
                var out = [Float](repeating: .nan, count: rows * columns)
                unsafe Prediction.lowRank(
                    left: left, leftStride: stride, right: right, columns: columns, rank: rank, rows: rows,
                    scale: scale,
                    into: &out, level: level)
                var expected = [Float](repeating: 0, count: rows * columns)
                for i in 0..<rows {
                    for j in 0..<columns {
                        var a: Float = 0
                        for k in 0..<rank { a.addProduct(left[k * stride + i], right[k * columns + j]) }
                        expected[i * columns + j] = scale.map { a * $0 } ?? a
                    }
                }
                let isEqual = out.map(\.bitPattern) == expected.map(\.bitPattern)
                #expect(isEqual, "\(rows) x \(columns), rank \(rank)")
            }
        }
    }

    @Test("scatter and gather are inverse, at every level", arguments: KernelLevel.available)
    func scatter(level: KernelLevel) {
        var generator = SeededGenerator(seed: 13)
        for count in [1, 15, 16, 17, 63, 64, 65, 1_000] {
            for share in [0, 1, 5, 10] {
                var mask = Bitset(count: count)
                for index in 0..<count { mask[index] = generator.below(10) < share }
                // All bits, so that a conversion anywhere would show.
                let dense = (0..<count).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: generator.next())) }
                let kept = (0..<count).filter { mask[$0] }.map { dense[$0].bitPattern }
                var values = [Float](repeating: 7, count: kept.count + 1)
                let number = unsafe Prediction.gather(
                    mask.words, count: count, dense: dense, into: &values, level: level)
                #expect(number == kept.count && values.dropLast().map(\.bitPattern) == kept && values.last == 7)
                var out = [Float](repeating: 7, count: count + 1)
                unsafe Prediction.scatter(mask.words, count: count, values: values, into: &out, level: level)
                let expected = (0..<count).map { mask[$0] ? dense[$0].bitPattern : 0 }
                #expect(out.dropLast().map(\.bitPattern) == expected && out.last == 7)
            }
        }
    }

    @Test("what a mask keeps, added to the base, is the scatter added to it", arguments: dtypes, KernelLevel.available)
    func kept(dtype: DType, level: KernelLevel) throws {
        var generator = SeededGenerator(seed: 14)
        let layout = try #require(dtype.floatLayout)
        // A mask of few and of many, whole words of bits among them, and more than one run of 4,096.
        for (count, share) in [(1, 10), (63, 0), (64, 5), (65, 1), (4_097, 1), (9_000, 10), (9_001, 1), (20_000, 3)] {
            let base = BitPatterns(
                .allCases[generator.below(BitPatterns.Kind.allCases.count)], layout, count: count, using: &generator)
            var mask = Bitset(count: count)
            for index in 0..<count { mask[index] = generator.below(10) < share || index / 64 == 3 }
            let values = sums(mask.population, &generator)
            var dense = [Float](repeating: 0, count: count)
            unsafe Prediction.scatter(mask.words, count: count, values: values, into: &dense)
            let (from, target, expected) = (
                base.buffer, ByteBuffer(capacity: 4 * count), ByteBuffer(capacity: 4 * count)
            )
            unsafe Prediction.apply(
                dtype, base: from.start, sum: dense, count: count, into: expected.start, level: .scalar)
            unsafe Prediction.apply(
                dtype, base: from.start, words: mask.words, values: values, kept: values.count, count: count,
                into: target.start, level: level)
            unsafe Prediction.apply(
                dtype, base: from.start, words: mask.words, values: values, kept: values.count, count: count,
                into: from.start, level: level)
            let bytes = expected.bytes(count * dtype.elementBytes)
            #expect(target.bytes(bytes.count) == bytes, "\(count), \(share)")
            #expect(from.bytes(bytes.count) == bytes, "in place: \(count), \(share)")
        }
    }

    @Test("sums")
    func add() {
        var sum: [Float] = [1, -0.0, 3]
        unsafe Prediction.add(&sum, [0.5, -0.0, 1e-9], count: 3)
        #expect(sum.map(\.bitPattern) == [1.5, -0.0, 3].map { (value: Float) in value.bitPattern })
    }
}
