import DeltaKernels
import TensorTypes
import TestSupport
import Testing

/// Section 12.3 read literally.
private func slowStays(seed: UInt64, identity: UInt64, position: UInt64, threshold: UInt32) -> Bool {
    var c = [
        UInt32(truncatingIfNeeded: position / 4), UInt32(truncatingIfNeeded: position >> 34),
        UInt32(truncatingIfNeeded: identity), UInt32(identity >> 32),
    ]
    var k = [UInt32(truncatingIfNeeded: seed), UInt32(seed >> 32)]
    for _ in 0..<10 {
        let a = 0xD251_1F53 * UInt64(c[0])
        let b = 0xCD9E_8D57 * UInt64(c[2])
        c = [
            UInt32(b >> 32) ^ c[1] ^ k[0], UInt32(truncatingIfNeeded: b), UInt32(a >> 32) ^ c[3] ^ k[1],
            UInt32(truncatingIfNeeded: a),
        ]
        k = [k[0] &+ 0x9E37_79B9, k[1] &+ 0xBB67_AE85]
    }
    return c[Int(position % 4)] >= threshold
}

@Suite("Seeded masks (section 12.3)")
struct PhiloxTests {
    @Test("known answers of the generator")
    func knownAnswers() {
        let ones = UInt32.max
        #expect(
            Philox.block(counter: [0, 0, 0, 0], key: [0, 0]) == [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8])
        #expect(
            Philox.block(counter: [ones, ones, ones, ones], key: [ones, ones])
                == [0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD])
        #expect(
            Philox.block(
                counter: [0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344], key: [0xA409_3822, 0x299F_31D0])
                == [0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1])
    }

    @Test("masks are what the text says, at every level", arguments: KernelLevel.available)
    func oracle(level: KernelLevel) {
        var generator = SeededGenerator(seed: 5)
        // Around where the low word of the counter ends, too.
        let firsts: [UInt64] = [
            0, 1, 2, 3, 4, 5, 63, 1_000_003, (1 << 34) - 130, (1 << 34) - 1, 1 << 34, (1 << 62) - 9,
        ]
        for first in firsts {
            for count in [1, 3, 63, 64, 65, 127, 200, 1_000] {
                let (seed, identity) = (generator.next(), generator.next())
                let threshold = UInt32(truncatingIfNeeded: generator.next()) | 1
                var words = [UInt64](repeating: .max, count: (count + 63) / 64)
                unsafe Philox.mask(
                    seed: seed, identity: identity, first: first, count: count, threshold: threshold, into: &words,
                    level: level)
                var expected = Bitset(count: count)
                for index in 0..<count {
                    expected[index] = slowStays(
                        seed: seed, identity: identity, position: first + UInt64(index), threshold: threshold)
                }
                #expect(words == expected.words, "first \(first), count \(count)")
            }
        }
    }

    @Test("the ends of the thresholds, and the share that stays")
    func thresholds() {
        let all = Philox.mask(seed: 1, identity: 2, count: 100_000, threshold: 1)
        #expect(all.population == 100_000)
        #expect(Philox.mask(seed: 1, identity: 2, count: 100_000, threshold: .max).population == 0)
        let tenth = Philox.mask(seed: 1, identity: 2, count: 100_000, threshold: 3_865_470_566)
        #expect((9_500...10_500).contains(tenth.population))
        #expect(tenth != Philox.mask(seed: 1, identity: 3, count: 100_000, threshold: 3_865_470_566))
    }
}
