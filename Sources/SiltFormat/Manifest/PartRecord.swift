/// The kinds of parts (Formats/Silt.md, section 4.3).
package enum PartKind: String, CaseIterable, Sendable {
    case copy, exact, xor, whole
}

/// The codecs of parts and stored files.
package enum Codec: String, CaseIterable, Sendable {
    case none, zstd, lz4, rans
}

/// What makes up a run of a tensor's elements.
package struct PartRecord: Sendable, Hashable {
    package var kind: PartKind
    /// The elements, in C order.
    package var elements: Range<Int>
    /// Absent for `copy`.
    package var codec: Codec?
    /// One chunk for each cell of the grid that the elements touch; empty for `copy`.
    package var chunks: Range<Int>
    /// The chunk of the tables, for `rans`.
    package var tables: Int?
    /// Elements that share one scale, for `exact`.
    package var unit: Int?

    package init(
        kind: PartKind, elements: Range<Int>, codec: Codec? = nil, chunks: Range<Int> = 0..<0, tables: Int? = nil,
        unit: Int? = nil
    ) {
        self.kind = kind
        self.elements = elements
        self.codec = codec
        self.chunks = chunks
        self.tables = tables
        self.unit = unit
    }
}
