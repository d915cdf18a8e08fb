internal import CSiltKernels

/// Frequencies of up to 256 symbols with sum 4,096 (Formats/Silt.md, section 6).
package struct FrequencyTable: Sendable, Hashable {
    /// 2^12.
    package static let total = 4_096
    /// 256 frequencies.
    package let frequencies: [UInt16]

    /// The table of one symbol that is certain.
    package static func certain(_ symbol: Int) -> FrequencyTable {
        var frequencies = [UInt16](repeating: 0, count: 256)
        frequencies[symbol] = UInt16(total)
        return FrequencyTable(frequencies: frequencies)
    }

    private init(frequencies: [UInt16]) { self.frequencies = frequencies }

    /// The table that codes symbols with these `counts` (at most 256, not all 0) in the fewest bits that 12-bit frequencies
    /// allow: rounded, then moved to the sum one step at a time where it costs least.
    package init(counts: some RandomAccessCollection<UInt64>) {
        let counts = Array(counts)
        let sum = counts.reduce(0, +)
        precondition(sum > 0 && counts.count <= 256)
        var scaled = [Int](repeating: 0, count: 256)
        for (symbol, count) in counts.enumerated() where count > 0 {
            let exact = Double(count) * Double(FrequencyTable.total) / Double(sum)
            scaled[symbol] = max(1, Int(exact.rounded()))
        }
        var excess = scaled.reduce(0, +) - FrequencyTable.total
        while excess != 0 {
            let step = excess > 0 ? -1 : 1
            var best = -1
            var bestGain = -Double.infinity
            for (symbol, count) in counts.enumerated() where count > 0 {
                let frequency = scaled[symbol]
                guard frequency + step >= 1 else { continue }
                // The derivative of the cost, count / frequency, at the middle of the step.
                let gain = Double(step) * Double(count) / (Double(frequency) + Double(step) / 2)
                if gain > bestGain { (best, bestGain) = (symbol, gain) }
            }
            scaled[best] += step
            excess += step
        }
        frequencies = scaled.map { UInt16($0) }
    }

    /// The last symbol that occurs.
    private var last: Int { frequencies.lastIndex { $0 > 0 } ?? 0 }

    /// Appends the stored form of section 6.1, with the parameter k that makes it shortest.
    package func write(to writer: inout BitWriter) {
        let last = last
        var previous = 0
        let folded = frequencies[..<last].map { frequency in
            defer { previous = Int(frequency) }
            let difference = Int(frequency) - previous
            return UInt32(difference >= 0 ? 2 * difference : -2 * difference - 1)
        }
        let lengths: [Int] = (0...12).map { k in
            var bits = 0
            for value in folded { bits += value >> k >= 20 ? 34 : Int(value >> k) + 1 + k }
            return bits
        }
        let k = lengths.indices.min { lengths[$0] < lengths[$1] } ?? 0
        writer.write(UInt32(last), bits: 8)
        writer.write(UInt32(k), bits: 4)
        for value in folded {
            let quotient = value >> k
            if quotient >= 20 {
                writer.write((1 << 20) - 1, bits: 20)
                writer.write(value, bits: 14)
            } else {
                writer.write((1 << quotient) - 1, bits: Int(quotient) + 1)
                writer.write(value & ((1 << k) - 1), bits: k)
            }
        }
    }

    /// Reads the stored form; nil if it breaks section 6.1.
    ///
    /// `alphabet` is the number of symbols.
    package init?(from reader: inout BitReader, alphabet: Int) {
        guard let last = reader.read(8), Int(last) < alphabet, let k = reader.read(4), k <= 12 else { return nil }
        var frequencies = [UInt16](repeating: 0, count: 256)
        var previous = 0
        var sum = 0
        for symbol in 0..<Int(last) {
            var quotient: UInt32 = 0
            while quotient < 20 {
                guard let bit = reader.read(1) else { return nil }
                guard bit == 1 else { break }
                quotient += 1
            }
            guard let low = reader.read(quotient == 20 ? 14 : Int(k)) else { return nil }
            // An escape where none is needed would be a second way to write the same table.
            guard quotient < 20 || low >> k >= 20 else { return nil }
            let folded = Int(quotient == 20 ? low : quotient << k | low)
            let frequency = previous + (folded & 1 == 0 ? folded / 2 : -(folded + 1) / 2)
            guard folded < 8_193, (0...FrequencyTable.total).contains(frequency) else { return nil }
            frequencies[symbol] = UInt16(frequency)
            sum += frequency
            previous = frequency
        }
        guard sum < FrequencyTable.total else { return nil }
        frequencies[Int(last)] = UInt16(FrequencyTable.total - sum)
        self.frequencies = frequencies
    }

    /// Bits that symbols with these counts (those after symbol `last` left out) take with an ideal table, the table itself not
    /// counted.
    package static func entropy(_ counts: [UInt64], upTo last: Int? = nil) -> Double {
        unsafe counts.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return 0 }
            return unsafe silt_entropy(start, min(buffer.count, (last ?? buffer.count) + 1))
        }
    }
}
