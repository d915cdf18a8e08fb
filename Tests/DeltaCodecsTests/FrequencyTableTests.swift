import CSiltKernels
import DeltaCodecs
import TestSupport
import Testing

@Suite("Frequency tables (section 6)")
struct FrequencyTableTests {
    /// Counts of some shape.
    private func counts(_ kind: Int, using generator: inout SeededGenerator) -> [UInt64] {
        let size = 1 + generator.below(256)
        var counts = (0..<size).map { symbol -> UInt64 in
            switch kind {
            case 0: UInt64(generator.below(1_000))
            case 1: UInt64(1_000_000_000) >> UInt64(min(symbol, 40))
            case 2: UInt64(generator.below(40) == 0 ? generator.below(1 << 40) : generator.below(2))
            default: 1
            }
        }
        counts[generator.below(size)] += 1
        return counts
    }

    /// The fewest bits that 12-bit frequencies allow.
    ///
    /// All that occur begin at 1, and each further unit goes where it gains most: the cost is convex in each frequency, so
    /// no other way is better.
    private func fewestBits(_ counts: [UInt64]) -> Double {
        let known = counts.indices.filter { counts[$0] > 0 }
        var frequencies = [Int](repeating: 0, count: counts.count)
        for symbol in known { frequencies[symbol] = 1 }
        func gain(_ symbol: Int) -> Double {
            Double(counts[symbol]) * silt_log2(Double(frequencies[symbol] + 1) / Double(frequencies[symbol]))
        }
        // A heap, with gains as keys: 4,096 rounds over 256 symbols would take seconds.
        var heap = known.map { (gain($0), $0) }.sorted { $0.0 > $1.0 }
        for _ in 0..<4_096 - known.count {
            let symbol = heap[0].1
            frequencies[symbol] += 1
            heap[0].0 = gain(symbol)
            var at = 0
            while true {
                let child = [2 * at + 1, 2 * at + 2].filter { $0 < heap.count }.max { heap[$0].0 < heap[$1].0 }
                guard let child, heap[child].0 > heap[at].0 else { break }
                heap.swapAt(at, child)
                at = child
            }
        }
        return known.reduce(0) { $0 + Double(counts[$1]) * (12 - silt_log2(Double(frequencies[$1]))) }
    }

    @Test("the sum is 4,096, and exactly the symbols that occur have a frequency", arguments: 0..<4)
    func sums(kind: Int) {
        var generator = SeededGenerator(seed: UInt64(kind))
        for _ in 0..<20 {
            let counts = counts(kind, using: &generator)
            let table = FrequencyTable(counts: counts)
            #expect(table.frequencies.count == 256)
            #expect(table.frequencies.reduce(0) { $0 + Int($1) } == FrequencyTable.total)
            let known = (0..<256).filter { table.frequencies[$0] > 0 }
            #expect(known == counts.indices.filter { counts[$0] > 0 })
        }
    }

    @Test("no table of 12-bit frequencies takes noticeably fewer bits", arguments: 0..<4)
    func minimality(kind: Int) {
        var generator = SeededGenerator(seed: UInt64(100 + kind))
        for _ in 0..<2 {
            let counts = counts(kind, using: &generator)
            let (found, best) = (FrequencyTable(counts: counts).bits(for: counts), fewestBits(counts))
            #expect(found <= best * 1.000_1 + 0.01, "\(found) bits instead of \(best)")
            #expect(found >= best * 0.999_999 - 0.01, "the oracle is wrong")
        }
    }

    @Test("the stored form comes back", arguments: 0..<4)
    func roundTrip(kind: Int) {
        var generator = SeededGenerator(seed: UInt64(200 + kind))
        for _ in 0..<20 {
            let table = FrequencyTable(counts: counts(kind, using: &generator))
            var writer = BitWriter()
            table.write(to: &writer)
            writer.write(0b101, bits: 3)
            let bytes = writer.finished()
            var reader = BitReader(bytes[...])
            #expect(FrequencyTable(from: &reader, alphabet: 256) == table)
            #expect(reader.read(3) == 0b101)
            #expect(reader.isAtEnd)
        }
    }

    /// A table in a bit stream, field by field.
    private func read(_ fields: [(value: UInt32, bits: Int)], alphabet: Int = 256) -> [Int: Int]? {
        var writer = BitWriter()
        for field in fields { writer.write(field.value, bits: field.bits) }
        let bytes = writer.finished()
        var reader = BitReader(bytes[...])
        guard let table = FrequencyTable(from: &reader, alphabet: alphabet), reader.isAtEnd else { return nil }
        return Dictionary(
            uniqueKeysWithValues: table.frequencies.enumerated().filter { $0.element > 0 }.map { ($0, Int($1)) })
    }

    private func stored(_ table: FrequencyTable) -> [UInt8] {
        var writer = BitWriter()
        table.write(to: &writer)
        return writer.finished()
    }

    @Test("known bytes, worked out by hand from section 6.1")
    func knownBytes() {
        #expect(stored(.certain(0)) == [0, 0])
        // Five differences of 0, each one 0 bit.
        #expect(stored(.certain(5)) == [5, 0, 0])
        // One difference of 2,048, folded to 4,096, with k = 11: quotient 2 (110), then eleven 0 bits.
        #expect(stored(FrequencyTable(counts: [1, 1])) == [0x01, 0x3B, 0, 0])
        // Sixteen of 256: 512 with k = 0 is an escape, twenty ones and 14 bits; then fourteen differences of 0, a bit each.
        let flat = FrequencyTable(counts: [UInt64](repeating: 1, count: 16))
        #expect(stored(flat) == [0x0F, 0xF0, 0xFF, 0xFF, 0, 2, 0, 0])
    }

    @Test("fields are read as section 6.1 says")
    func fields() {
        #expect(read([(7, 8), (12, 4)] + (0..<7).map { _ in (0, 13) }) == [7: 4_096])
        // Differences 3, -3: folded 6 and 5, with k = 1: 1110 and 0, then 110 and 1.
        #expect(read([(2, 8), (1, 4), (0b0111, 4), (0, 1), (0b011, 3), (1, 1)]) == [0: 3, 2: 4_093])
        // An escape that is needed: 20 with k = 0.
        #expect(read([(1, 8), (0, 4), (0xF_FFFF, 20), (20, 14)]) == [0: 10, 1: 4_086])
        // The largest difference: -4,095 from 4,095 to 0, folded to 8,189.
        #expect(
            read([(2, 8), (9, 4), (0x7FFF, 16), (8_190 & 511, 9), (0x7FFF, 16), (8_189 & 511, 9)]) == [0: 4_095, 2: 1])
    }

    @Test("needless escapes are refused")
    func needlessEscape() {
        #expect(read([(1, 8), (0, 4), (0xF_FFFF, 20), (18, 14)]) == nil)
        #expect(read([(1, 8), (5, 4), (0xF_FFFF, 20), (20 << 5 - 2, 14)]) == nil)
        #expect(read([(1, 8), (5, 4), (0xF_FFFF, 20), (20 << 5, 14)]) == [0: 320, 1: 3_776])
    }

    @Test("wrong sums and frequencies out of range are refused")
    func sumsRefused() {
        // f(0) = 4,096 leaves nothing for the last symbol, which is at least 1.
        #expect(read([(1, 8), (0, 4), (0xF_FFFF, 20), (8_192, 14)]) == nil)
        // 4,098, and folded differences beyond 8,192.
        #expect(read([(1, 8), (0, 4), (0xF_FFFF, 20), (8_196, 14)]) == nil)
        #expect(read([(1, 8), (0, 4), (0xF_FFFF, 20), (8_193, 14)]) == nil)
        // Two of 2,048, then a third.
        #expect(read([(2, 8), (11, 4), (0b011, 3), (0, 11), (0, 1), (0, 11)]) == nil)
        // -1 from 0.
        #expect(read([(1, 8), (0, 4), (0b01, 2)]) == nil)
    }

    @Test("a symbol outside the alphabet, k above 12, and an early end are refused")
    func others() {
        #expect(
            read([(143, 8), (0, 4)] + [(0, 31), (0, 31), (0, 31), (0, 31), (0, 19)], alphabet: 144) == [143: 4_096])
        #expect(read([(144, 8), (0, 4)] + [(0, 31), (0, 31), (0, 31), (0, 31), (0, 20)], alphabet: 144) == nil)
        #expect(read([(0, 8), (13, 4)]) == nil)
        #expect(read([(0, 8)]) == nil)
        #expect(read([]) == nil)
        #expect(read([(255, 8), (12, 4)]) == nil)
        #expect(read([(1, 8), (0, 4), (0xF, 4)]) == nil)
    }
}
