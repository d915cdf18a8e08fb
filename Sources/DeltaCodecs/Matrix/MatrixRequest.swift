package import TensorTypes

/// A mask that a matrix is to have.
package struct MaskRequest: Sendable {
    /// Where its positions come from.
    package enum Source: Sendable {
        case seeded(seed: UInt64, threshold: UInt32)
        /// Those of the whole matrix that stay.
        case positions(Bitset)
    }

    package var over: MaskCoding.Over
    package var source: Source

    package init(over: MaskCoding.Over, source: Source) {
        self.over = over
        self.source = source
    }
}

/// How to code a matrix.
package struct MatrixRequest: Sendable {
    /// How stored positions are coded.
    package enum MaskCodec: Sendable {
        /// As takes fewest bytes.
        case auto
        case bits
        case gaps
    }

    /// Where the scales of codes come from.
    package enum ScaleRule: Sendable, Hashable {
        /// One step: the one with the smallest squared error; for signs the mean magnitude.
        case automatic
        /// One step: the largest magnitude is the largest code.
        case maximum
        /// One for each row, as `automatic` chooses it, rounded to BF16.
        case rows
        /// One for as many values, likewise.
        case groups(Int)
        /// This step.
        case fixed(Float)
        /// These scales, one for each row of the matrix; all are of BF16, at least 0.
        case givenRows([Float])
    }

    package var rows: Int
    package var columns: Int
    /// I of section 12.3.
    package var identity: UInt64
    package var masks: [MaskRequest]
    package var maskCodec: MaskCodec
    /// Positions in a symbol of `bits` under rANS: 1 to 8.
    package var bitWidth: Int
    package var values: ValueType
    /// Ignored for floats.
    package var scale: ScaleRule
    package var q: RescaleFactor?
    /// The codec of stored positions, where it can be had; nil: the one that takes fewest bytes.
    package var positionCodec: StreamCodec?
    /// The codec of values, likewise.
    package var valueCodec: StreamCodec?

    package init(
        rows: Int, columns: Int, identity: UInt64, masks: [MaskRequest] = [], maskCodec: MaskCodec = .auto,
        bitWidth: Int = 8, values: ValueType, scale: ScaleRule = .automatic, q: RescaleFactor? = nil,
        positionCodec: StreamCodec? = nil, valueCodec: StreamCodec? = nil
    ) {
        self.rows = rows
        self.columns = columns
        self.identity = identity
        self.masks = masks
        self.maskCodec = maskCodec
        self.bitWidth = bitWidth
        self.values = values
        self.scale = scale
        self.q = q
        self.positionCodec = positionCodec
        self.valueCodec = valueCodec
    }
}

/// A matrix as the file stores it.
package struct EncodedMatrix: Sendable, Hashable {
    package var coding: MatrixCoding
    /// One for each cell; empty where all of the cell is 0.
    package var chunks: [[UInt8]]
    /// For each mask its chunk of tables, where its codec is `rans`.
    package var maskTables: [[UInt8]?]
    package var valueTables: [UInt8]?
    /// The chunk of a stored mask over columns.
    package var columnChunk: [UInt8]?

    package init(
        coding: MatrixCoding, chunks: [[UInt8]], maskTables: [[UInt8]?], valueTables: [UInt8]? = nil,
        columnChunk: [UInt8]? = nil
    ) {
        self.coding = coding
        self.chunks = chunks
        self.maskTables = maskTables
        self.valueTables = valueTables
        self.columnChunk = columnChunk
    }

    /// Bytes of all chunks.
    package var bytes: Int {
        let tables = maskTables.reduce(valueTables?.count ?? 0) { $0 + ($1?.count ?? 0) }
        return chunks.reduce(tables + (columnChunk?.count ?? 0)) { $0 + $1.count }
    }
}
