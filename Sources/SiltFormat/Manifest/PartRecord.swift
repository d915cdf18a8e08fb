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
    /// What is added to the base before anything else; empty for none.
    package var components: [ComponentRecord]

    package init(
        kind: PartKind, elements: Range<Int>, codec: Codec? = nil, chunks: Range<Int> = 0..<0, tables: Int? = nil,
        unit: Int? = nil, components: [ComponentRecord] = []
    ) {
        self.kind = kind
        self.elements = elements
        self.codec = codec
        self.chunks = chunks
        self.tables = tables
        self.unit = unit
        self.components = components
    }

    /// Every chunk that holds data of the part: its own and those of its components; no tables.
    package var dataChunks: [Range<Int>] {
        let matrices = components.flatMap(\.matrices)
        return [chunks] + matrices.map(\.chunks) + matrices.compactMap { $0.columnChunk.map { $0..<$0 + 1 } }
    }

    /// Every chunk of tables that the part uses.
    package var allTables: [Int] { (tables.map { [$0] } ?? []) + components.flatMap(\.matrices).flatMap(\.tables) }
}
