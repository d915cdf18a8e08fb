import DeltaCodecs
import TensorTypes
import TestSupport
import Testing

@Suite("Sizes of matrices")
struct MatrixSizeTests {
    private static let side = 1_024
    /// Nine elements in ten are dropped.
    private static let seeded = MaskRequest(over: .elements, source: .seeded(seed: 1, threshold: 3_865_470_566))

    private func gaussian() -> [Float] {
        var generator = SeededGenerator(seed: 31)
        return (0..<MatrixSizeTests.side * MatrixSizeTests.side).map { _ in Float(generator.gaussian()) * 0.002 }
    }

    private func request(_ masks: [MaskRequest], _ type: ValueType, _ rule: MatrixRequest.ScaleRule) -> MatrixRequest {
        MatrixRequest(
            rows: MatrixSizeTests.side, columns: MatrixSizeTests.side, identity: 7, masks: masks, values: type,
            scale: rule)
    }

    @Test("codes and patterns under a seeded mask: within 5 % of their entropy", arguments: [ValueType.int4, .bf16])
    func seeded(type: ValueType) throws {
        let coded = CodedMatrix(gaussian(), request([MatrixSizeTests.seeded], type, .automatic))
        let kept = zip(try coded.decode(), coded.stays()).filter { $0.1 }.map { $0.0 }
        let (bits, entropy) = (Double(8 * coded.encoded.bytes), Entropy.bits(kept))
        #expect(bits < 1.05 * entropy, "\(bits / entropy) of the entropy, \(coded.encoded.coding)")
    }

    @Test("stored positions: within 5 % of their entropy", arguments: [0.5, 0.9, 0.95, 0.99])
    func positions(p: Double) {
        var generator = SeededGenerator(seed: 32)
        let count = MatrixSizeTests.side * MatrixSizeTests.side
        var set = Bitset(count: count)
        for index in 0..<count { set[index] = generator.unit() >= p }
        let masks = [MaskRequest(over: .elements, source: .positions(set))]
        // Signs that are all the same take one bit each.
        let ones = [Float](repeating: 1, count: count)
        let coded = CodedMatrix(ones, request(masks, .sign, .automatic))
        let bits = Double(8 * coded.encoded.bytes - set.population)
        let entropy = Double(count) * Entropy.binary(Double(set.population) / Double(count))
        #expect(bits < 1.05 * entropy, "\(bits / entropy) of the entropy, \(coded.encoded.coding)")
        for codec in [StreamCodec.rans, .adaptive] where p >= 0.9 {
            var gaps = request(masks, .sign, .automatic)
            (gaps.maskCodec, gaps.positionCodec) = (.gaps, codec)
            let bits = Double(8 * CodedMatrix(ones, gaps).encoded.bytes - set.population)
            #expect(bits < 1.05 * entropy, "gaps under \(codec): \(bits / entropy) of the entropy")
        }
    }

    @Test("small matrices do not pay for tables")
    func small() {
        var generator = SeededGenerator(seed: 33)
        for type in ValueType.allCases {
            let dense = (0..<40).map { _ in Float(generator.gaussian()) }
            let coded = CodedMatrix(
                dense, MatrixRequest(rows: 4, columns: 10, identity: 0, values: type, scale: .fixed(0.5)))
            #expect(8 * coded.encoded.bytes <= 40 * min(type.packedBits, 16) + 8 || type == .f32, "\(type)")
        }
    }
}
