internal import TensorTypes

/// The tables of the residual (Formats/Silt.md, section 7.3): a table for unit codes, and up to 31 for the classes.
package struct ResidualTables: Sendable, Hashable {
    /// Bits of the patterns: 8, 16 or 32.
    package let width: Int
    /// R = origin + code.
    package let origin: Int
    /// Bit c: class c begins a new table.
    ///
    /// Bit 1 is always set, bit 0 never.
    package let starts: UInt32
    /// The table of unit codes.
    package let codes: FrequencyTable
    /// The tables of the classes, in order.
    package let classes: [FrequencyTable]

    /// Symbols below which a folded difference is its own symbol, as a power of two (section 7.1, g).
    package static func directBits(width: Int) -> Int { width == 8 ? 8 : width == 16 ? 6 : 4 }

    /// Number of symbols (section 7.1).
    package static func alphabet(width: Int) -> Int {
        let direct = directBits(width: width)
        return 1 << direct + 8 * (width - direct)
    }

    /// Raw bits that follow `symbol`.
    package static func rawBits(symbol: Int, width: Int) -> Int {
        let direct = directBits(width: width)
        return symbol < 1 << direct ? 0 : direct - 3 + (symbol - 1 << direct) / 8
    }

    /// The table's row for each of the 32 classes; row 0 is that of class 0.
    package var rowOfClass: [UInt8] {
        var row: UInt8 = 0
        return (0..<32).map { index in
            if starts >> UInt32(index) & 1 == 1 { row += 1 }
            return row
        }
    }

    /// All tables by row: class 0, then the classes' tables.
    package var rows: [FrequencyTable] { [.certain(0)] + classes }

    /// Tables as a plan chose them.
    package init(width: Int, origin: Int, starts: UInt32, codes: FrequencyTable, classes: [FrequencyTable]) {
        self.width = width
        self.origin = origin
        self.starts = starts
        self.codes = codes
        self.classes = classes
    }

    /// The stored form of section 7.3.
    package var stored: [UInt8] {
        var bytes: [UInt8] = [1, UInt8(width)]
        bytes.appendLittleEndian(Int16(origin))
        bytes.appendLittleEndian(starts)
        var writer = BitWriter()
        codes.write(to: &writer)
        for table in classes { table.write(to: &writer) }
        return bytes + writer.finished()
    }

    /// Reads the stored form; throws the reason, as the end of a sentence.
    package init(stored bytes: [UInt8], width expected: Int) throws(TablesError) {
        var cursor = ByteCursor(bytes)
        guard let type = cursor.integer(UInt8.self), let width = cursor.integer(UInt8.self),
            let origin = cursor.integer(Int16.self), let starts = cursor.integer(UInt32.self)
        else { throw TablesError(reason: "is shorter than its 8 fixed bytes") }
        guard type == 1 else { throw TablesError(reason: "has type \(type) instead of 1 (residual)") }
        guard Int(width) == expected else { throw TablesError(reason: "is for \(width) bits instead of \(expected)") }
        guard starts & 3 == 2 else { throw TablesError(reason: "has starts with bit 0 set or bit 1 clear") }
        self.width = Int(width)
        self.origin = Int(origin)
        self.starts = starts
        var reader = BitReader(bytes[8...])
        guard let codes = FrequencyTable(from: &reader, alphabet: 256) else {
            throw TablesError(reason: "has a bad table of unit codes")
        }
        self.codes = codes
        var classes: [FrequencyTable] = []
        for index in 0..<starts.nonzeroBitCount {
            guard let table = FrequencyTable(from: &reader, alphabet: ResidualTables.alphabet(width: expected)) else {
                throw TablesError(reason: "has a bad table, number \(index) of its classes")
            }
            classes.append(table)
        }
        self.classes = classes
        guard reader.isAtEnd else { throw TablesError(reason: "has bytes or bits after its last table") }
    }
}

/// Why a chunk of tables is refused, as the end of a sentence.
package struct TablesError: Error, Sendable { package let reason: String }
