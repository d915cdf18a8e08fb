package import DeltaCodecs

/// A matrix that a file stores (Formats/Silt.md, section 12.3).
package struct MatrixRecord: Sendable, Hashable {
    package var coding: MatrixCoding
    /// One chunk for each cell of the matrix.
    package var chunks: Range<Int>
    /// For each mask the chunk of its tables, for codec rans.
    package var maskTables: [Int?]
    /// The chunk with the positions of a stored mask over columns.
    package var columnChunk: Int?
    /// The chunk of the values' tables, for codec rans.
    package var valueTables: Int?

    package init(
        coding: MatrixCoding, chunks: Range<Int>, maskTables: [Int?], columnChunk: Int? = nil, valueTables: Int? = nil
    ) {
        self.coding = coding
        self.chunks = chunks
        self.maskTables = maskTables
        self.columnChunk = columnChunk
        self.valueTables = valueTables
    }

    /// The chunks of tables that the matrix uses.
    package var tables: [Int] { maskTables.compactMap { $0 } + (valueTables.map { [$0] } ?? []) }
}

/// A product of two factors (Formats/Silt.md, section 12.2).
package struct LowRankRecord: Sendable, Hashable {
    package var rank: Int
    /// `rank` rows; a column for each row of the part.
    package var left: MatrixRecord
    /// `rank` rows; a column for each column of the part.
    package var right: MatrixRecord
    package var scale: Double?

    package init(rank: Int, left: MatrixRecord, right: MatrixRecord, scale: Double?) {
        self.rank = rank
        self.left = left
        self.right = right
        self.scale = scale
    }
}

/// What is added to the base to predict a part (Formats/Silt.md, section 12).
package enum ComponentRecord: Sendable, Hashable {
    case sparse(MatrixRecord)
    case lowRank(LowRankRecord)

    /// Components that a part may have.
    package static let limit = 8
    /// Directions that a product may have.
    package static let rankLimit = 65_536

    /// The matrices of the component, in the order of the text.
    package var matrices: [MatrixRecord] {
        switch self {
        case .sparse(let matrix): [matrix]
        case .lowRank(let product): [product.left, product.right]
        }
    }

    /// The same component with `change` made to each of its matrices.
    package func changing<Failure: Error>(
        _ change: (inout MatrixRecord) throws(Failure) -> Void
    ) throws(Failure) -> ComponentRecord {
        switch self {
        case .sparse(var matrix):
            try change(&matrix)
            return .sparse(matrix)
        case .lowRank(var product):
            try change(&product.left)
            try change(&product.right)
            return .lowRank(product)
        }
    }
}
