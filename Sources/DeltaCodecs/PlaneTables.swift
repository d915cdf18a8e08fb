internal import CSiltKernels
internal import TensorTypes

/// How the byte planes of a part are coded (Formats/Silt.md, section 8.2).
package struct PlaneTables: Sendable, Hashable {
    /// What a plane's bytes are.
    package enum Plane: Sendable, Hashable {
        /// As they are.
        case raw
        /// All zero; nothing is stored.
        case zero
        /// Coded with this table.
        case coded(FrequencyTable)
    }

    /// The planes, lowest byte of the element first.
    package let planes: [Plane]

    /// Chooses for each plane what takes fewest bytes, from the counts of its 256 values.
    package init(counts: [[UInt64]]) {
        planes = counts.map { counts in
            let total = counts.reduce(0, +)
            guard total > counts[0] else { return .zero }
            let table = FrequencyTable(counts: counts)
            // 300 bytes stand for the stored table and a few streams' states.
            return table.bits(for: counts) + 2_400 < 8 * Double(total) ? .coded(table) : .raw
        }
    }

    /// Chooses likewise for streams of which every byte counts: one for each number of elements in `lengths`.
    init(counts: [[UInt64]], lengths: [Int]) {
        let overhead = PlaneTables.overhead(lengths)
        planes = counts.map { counts in
            let total = counts.reduce(0, +)
            guard total > counts[0] else { return .zero }
            let table = FrequencyTable(counts: counts)
            var writer = BitWriter()
            table.write(to: &writer)
            let coded = table.bits(for: counts) + Double(8 * (writer.finished().count + overhead))
            return coded < 8 * Double(total) ? .coded(table) : .raw
        }
    }

    /// Bytes that streams of these lengths take beside the bits of their symbols, for each coded plane.
    ///
    /// A state has 4 bytes, and holds one byte of the symbols on average.
    private static func overhead(_ lengths: [Int]) -> Int { lengths.reduce(0) { $0 + 2 + 3 * Rans.lanes(for: $1) } }

    /// Bytes of streams with these counts and lengths, the tables counted.
    func bytes(for counts: [[UInt64]], lengths: [Int]) -> Int {
        let coded = planes.count { if case .coded = $0 { true } else { false } }
        return Int(bits(for: counts) / 8) + coded * PlaneTables.overhead(lengths)
    }

    /// Bits of elements with these counts, the tables counted.
    package func bits(for counts: [[UInt64]]) -> Double {
        var bits = Double(8 * stored.count)
        for (plane, counts) in zip(planes, counts) {
            switch plane {
            case .zero: break
            case .raw: bits += 8 * Double(counts.reduce(0, +))
            case .coded(let table): bits += table.bits(for: counts)
            }
        }
        return bits
    }

    /// The stored form.
    package var stored: [UInt8] {
        var bytes: [UInt8] = [2, UInt8(planes.count)]
        var writer = BitWriter()
        for plane in planes {
            switch plane {
            case .raw: bytes.append(0)
            case .zero: bytes.append(1)
            case .coded(let table):
                bytes.append(2)
                table.write(to: &writer)
            }
        }
        return bytes + writer.finished()
    }

    /// Reads the stored form; throws the reason, as the end of a sentence.
    package init(stored bytes: [UInt8], elementBytes: Int) throws(TablesError) {
        guard bytes.count >= 2 + elementBytes else { throw TablesError(reason: "is shorter than its fixed bytes") }
        guard bytes[0] == 2 else { throw TablesError(reason: "has type \(bytes[0]) instead of 2 (planes)") }
        guard Int(bytes[1]) == elementBytes else {
            throw TablesError(reason: "is for elements of \(bytes[1]) bytes instead of \(elementBytes)")
        }
        var reader = BitReader(bytes[(2 + elementBytes)...])
        var planes: [Plane] = []
        for mode in bytes[2..<2 + elementBytes] {
            switch mode {
            case 0: planes.append(.raw)
            case 1: planes.append(.zero)
            case 2:
                guard let table = FrequencyTable(from: &reader, alphabet: 256) else {
                    throw TablesError(reason: "has a bad table for plane \(planes.count)")
                }
                planes.append(.coded(table))
            default: throw TablesError(reason: "has the unknown mode \(mode) for plane \(planes.count)")
            }
        }
        guard reader.isAtEnd else { throw TablesError(reason: "has bytes or bits after its last table") }
        self.planes = planes
    }
}
