import CSiltKernels
import DeltaCodecs
import TensorTypes
import TestSupport
import Testing

/// Section 6 read literally.
struct SlowRans {
    let frequencies: [[Int]]

    /// Decodes `rows.count` symbols, each with its table; nil where the text refuses.
    func decode(_ stream: [UInt8], rows: [Int]) -> [UInt8]? {
        let lanes = rows.count >= 8_192 ? 32 : 1
        guard stream.count >= 4 * lanes, stream.count % 2 == 0 else { return nil }
        var states = (0..<lanes).map { lane in
            (0..<4).reduce(0) { $0 | Int(stream[4 * lane + $1]) << (8 * $1) }
        }
        guard states.allSatisfy({ $0 >= 65_536 }) else { return nil }
        var position = 4 * lanes
        var symbols: [UInt8] = []
        for (index, row) in rows.enumerated() {
            var x = states[index % lanes]
            let m = x % 4_096
            var (symbol, start) = (0, 0)
            while m >= start + frequencies[row][symbol] {
                start += frequencies[row][symbol]
                symbol += 1
            }
            x = frequencies[row][symbol] * (x >> 12) + m - start
            if x < 65_536 {
                guard position + 2 <= stream.count else { return nil }
                x = x * 65_536 + Int(stream[position]) + 256 * Int(stream[position + 1])
                position += 2
            }
            guard x < 1 << 32 else { return nil }
            states[index % lanes] = x
            symbols.append(UInt8(symbol))
        }
        return position == stream.count && states.allSatisfy { $0 == 65_536 } ? symbols : nil
    }
}

@Suite("rANS (section 6)")
struct RansTests {
    private func encodingTable(_ frequencies: [UInt16]) -> [silt_encode_symbol] {
        var symbols = [silt_encode_symbol](repeating: silt_encode_symbol(), count: 256)
        unsafe silt_encode_table(frequencies, &symbols)
        return symbols
    }

    private func slots(_ frequencies: [UInt16]) -> [UInt32] {
        var slots = [UInt32](repeating: 0, count: 4_096)
        unsafe silt_decode_table(frequencies, &slots)
        return slots
    }

    /// The stream, which has the same bytes at every level.
    private func encode(_ symbols: [UInt8], rows: [UInt8]?, lanes: Int, _ tables: [silt_encode_symbol]) -> [UInt8] {
        let streams = KernelLevel.available.map { encode(symbols, rows: rows, lanes: lanes, tables, level: $0) }
        for stream in streams.dropFirst() {
            let isEqual = stream == streams[0]
            #expect(isEqual, "levels differ")
        }
        return streams[0]
    }

    private func encode(
        _ symbols: [UInt8], rows: [UInt8]?, lanes: Int, _ tables: [silt_encode_symbol], level: KernelLevel
    ) -> [UInt8] {
        let room = 4 * lanes + 2 * symbols.count + 2
        var buffer = [UInt8](repeating: 0, count: room)
        let size = unsafe buffer.withUnsafeMutableBufferPointer { buffer -> Int in
            guard let start = buffer.baseAddress else { return 0 }
            if let rows {
                return unsafe silt_rans_encode(
                    level.rawValue, symbols, rows, symbols.count, UInt32(lanes), tables, start + room)
            }
            return unsafe silt_rans_encode(
                level.rawValue, symbols, nil, symbols.count, UInt32(lanes), tables, start + room)
        }
        #expect(size <= room)
        return Array(buffer.suffix(size))
    }

    /// The status and the symbols, which are the same at every level.
    private func decode(_ stream: [UInt8], count: Int, lanes: Int, _ slots: [UInt32]) -> (status: Int, symbols: [UInt8])
    {
        let results = KernelLevel.available.map { level -> (status: Int, symbols: [UInt8]) in
            var symbols = [UInt8](repeating: 0, count: count)
            let status = unsafe GuardedBytes.with(stream) { start in
                unsafe silt_rans_decode(
                    level.rawValue, start, stream.count, count, UInt32(lanes), slots, &symbols)
            }
            return (Int(status), symbols)
        }
        for result in results.dropFirst() {
            let isEqual =
                result.status == results[0].status && (result.status != 0 || result.symbols == results[0].symbols)
            #expect(isEqual, "levels differ")
        }
        return results[0]
    }

    /// Frequencies of an alphabet: all in one symbol, flat, or steep.
    private func frequencies(_ kind: Int) -> [UInt16] {
        var frequencies = [UInt16](repeating: 0, count: 256)
        switch kind {
        case 0: frequencies[77] = 4_096
        case 1: frequencies = [UInt16](repeating: 16, count: 256)
        case 2: (frequencies[0], frequencies[255]) = (4_095, 1)
        default:
            for symbol in 0..<200 { frequencies[symbol] = 1 }
            (frequencies[200], frequencies[3]) = (3_000, 897)
        }
        return frequencies
    }

    /// Symbols that a table has, each as often as any other.
    private func symbols(_ count: Int, of frequencies: [UInt16], using generator: inout SeededGenerator) -> [UInt8] {
        let known = frequencies.indices.filter { frequencies[$0] > 0 }
        return (0..<count).map { _ in UInt8(known[generator.below(known.count)]) }
    }

    @Test("the reciprocal divides exactly, for every frequency, at the extremes of the states")
    func reciprocals() {
        var frequencies = [UInt16](repeating: 0, count: 256)
        for frequency in 1...4_096 {
            (frequencies[0], frequencies[1]) = (UInt16(frequency), UInt16(4_096 - frequency))
            let symbol = encodingTable(frequencies)[0]
            #expect(symbol.frequency == UInt32(frequency) && symbol.start == 0)
            guard frequency > 1 else { continue }
            let f = UInt64(frequency)
            let top = UInt64(UInt32.max)
            let last = top / f * f
            var states: [UInt64] = [0, 1, f - 1, f, f + 1, 65_535, 65_536, 65_537, top, top - 1, last, last - 1]
            // Around the largest state that is left after a word went out, and around multiples of f.
            states += [f << 20 - 1, f << 20 - f, f << 16, f << 16 - 1, f << 16 + 1]
            for state in states where state <= top {
                let quotient = symbol.reciprocal.multipliedFullWidth(by: state).high
                if quotient != state / f { Issue.record("\(state) / \(frequency) gives \(quotient)") }
            }
        }
    }

    @Test("every frequency survives coding")
    func everyFrequency() {
        var generator = SeededGenerator(seed: 3)
        for frequency in stride(from: 1, through: 4_095, by: 7) {
            var frequencies = [UInt16](repeating: 0, count: 256)
            (frequencies[9], frequencies[200]) = (UInt16(frequency), UInt16(4_096 - frequency))
            let symbols = symbols(40, of: frequencies, using: &generator)
            let stream = encode(symbols, rows: nil, lanes: 1, encodingTable(frequencies))
            let back = decode(stream, count: 40, lanes: 1, slots(frequencies))
            if back.status != 0 || back.symbols != symbols { Issue.record("frequency \(frequency)") }
        }
    }

    @Test("round trip, and as the text says", arguments: 0..<4, [1, 2, 31, 32, 33, 8_191, 8_192, 8_193])
    func roundTrip(kind: Int, count: Int) {
        var generator = SeededGenerator(seed: UInt64(10 * count + kind))
        let frequencies = frequencies(kind)
        let symbols = symbols(count, of: frequencies, using: &generator)
        let lanes = Rans.lanes(for: count)
        #expect(lanes == (count >= 8_192 ? 32 : 1))
        let stream = encode(symbols, rows: nil, lanes: lanes, encodingTable(frequencies))
        let back = decode(stream, count: count, lanes: lanes, slots(frequencies))
        #expect(back.status == 0 && back.symbols == symbols)
        let slow = SlowRans(frequencies: [frequencies.map { Int($0) }])
        #expect(slow.decode(stream, rows: [Int](repeating: 0, count: count)) == symbols)
    }

    @Test("each symbol with its own table", arguments: [100, 9_001])
    func tables(count: Int) {
        var generator = SeededGenerator(seed: 8)
        let tables = (0..<4).map { frequencies($0) }
        let rows = (0..<count).map { _ in UInt8(generator.below(4)) }
        let symbols = rows.map { self.symbols(1, of: tables[Int($0)], using: &generator)[0] }
        let stream = encode(
            symbols, rows: rows, lanes: Rans.lanes(for: count), tables.flatMap { encodingTable($0) })
        let slow = SlowRans(frequencies: tables.map { $0.map { Int($0) } })
        #expect(slow.decode(stream, rows: rows.map { Int($0) }) == symbols)
    }

    @Test("a certain symbol takes no word and moves no state")
    func certain() {
        let stream = encode([UInt8](repeating: 77, count: 9_000), rows: nil, lanes: 32, encodingTable(frequencies(0)))
        #expect(stream == (0..<32).flatMap { _ in [0, 0, 1, 0] as [UInt8] })
    }

    @Test("every end and every state is checked", arguments: [100, 8_200])
    func refusals(count: Int) {
        var generator = SeededGenerator(seed: 5)
        let (frequencies, lanes) = (frequencies(3), Rans.lanes(for: count))
        let stream = encode(
            symbols(count, of: frequencies, using: &generator), rows: nil, lanes: lanes, encodingTable(frequencies))
        func status(_ stream: [UInt8]) -> Int { decode(stream, count: count, lanes: lanes, slots(frequencies)).status }
        #expect(status(stream) == Int(SILT_OK))
        #expect(status(Array(stream.dropLast(2))) == Int(SILT_WORDS_SHORT))
        #expect(status(Array(stream.dropLast(1))) == Int(SILT_WORDS_SHORT))
        #expect(status(Array(stream.prefix(4 * lanes - 2))) == Int(SILT_WORDS_SHORT))
        #expect(status([]) == Int(SILT_WORDS_SHORT))
        #expect(status(stream + [0, 0]) == Int(SILT_WORDS_LEFT))
        var low = stream
        low.replaceSubrange(4 * lanes - 4..<4 * lanes, with: [255, 255, 0, 0])
        #expect(status(low) == Int(SILT_STATE_LOW))
        // Another last word is another state at the end, or other symbols.
        let statuses = (0..<16).map { bit in
            var wrong = stream
            wrong[stream.count - 2 + bit / 8] ^= UInt8(1 << (bit % 8))
            return status(wrong)
        }
        #expect(statuses.contains(Int(SILT_STATE_END)), "\(statuses)")
    }

    @Test("a long stream that is cut anywhere near its end is refused alike at every level")
    func truncation() {
        var generator = SeededGenerator(seed: 7)
        let (frequencies, count) = (frequencies(1), 8_300)
        let symbols = symbols(count, of: frequencies, using: &generator)
        let stream = encode(symbols, rows: nil, lanes: 32, encodingTable(frequencies))
        for words in 1...100 {
            let status = decode(Array(stream.dropLast(2 * words)), count: count, lanes: 32, slots(frequencies)).status
            #expect(status == Int(SILT_WORDS_SHORT))
        }
    }

    @Test("long streams of any table and any state survive at every level", arguments: 1...6)
    func longStreams(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        // Frequencies of every size: each takes a share of what is left.
        var frequencies = [UInt16](repeating: 0, count: 256)
        var left = 4_096
        for symbol in 0..<255 where left > 1 {
            let share = seed % 2 == 0 ? generator.below(left / 2 + 1) : generator.below(40)
            frequencies[symbol] = UInt16(min(share, left - 1))
            left -= Int(frequencies[symbol])
        }
        frequencies[255] = UInt16(left)
        let count = 9_000 + generator.below(64)
        let symbols = symbols(count, of: frequencies, using: &generator)
        let stream = encode(symbols, rows: nil, lanes: 32, encodingTable(frequencies))
        let back = decode(stream, count: count, lanes: 32, slots(frequencies))
        #expect(back.status == 0 && back.symbols == symbols)
    }

    @Test("altered streams are decoded as the text says or refused")
    func noise() {
        var generator = SeededGenerator(seed: 6)
        let frequencies = frequencies(3)
        let slow = SlowRans(frequencies: [frequencies.map { Int($0) }])
        let slots = slots(frequencies)
        let stream = encode(
            symbols(200, of: frequencies, using: &generator), rows: nil, lanes: 1, encodingTable(frequencies))
        for _ in 0..<200 {
            var altered = stream
            altered[generator.below(altered.count)] ^= UInt8(1 << generator.below(8))
            let fast = decode(altered, count: 200, lanes: 1, slots)
            #expect(
                (fast.status == 0 ? fast.symbols : nil) == slow.decode(altered, rows: [Int](repeating: 0, count: 200)))
        }
    }
}
