internal import TensorTypes

/// How a mask is stored (Formats/Silt.md, section 12.3).
package struct MaskCoding: Sendable, Hashable {
    /// What its positions are.
    package enum Over: String, CaseIterable, Sendable {
        case elements
        case rows
        case columns
    }

    /// How it says which of them stay.
    package enum Positions: Sendable, Hashable {
        case seeded(seed: UInt64, threshold: UInt32)
        /// Codec `none` or `rans`; `width` has a meaning for `rans` alone and is 8 otherwise.
        case bits(StreamCodec, width: Int)
        /// Codec `none`, `rans` or `adaptive`.
        case gaps(StreamCodec)
    }

    package var over: Over
    package var positions: Positions

    package init(over: Over, positions: Positions) {
        self.over = over
        self.positions = positions
    }

    /// Whether the positions are bytes of chunks.
    package var isStored: Bool {
        if case .seeded = positions { false } else { true }
    }

    /// Whether it has a chunk of tables.
    package var hasTables: Bool {
        switch positions {
        case .seeded: false
        case .bits(let codec, _), .gaps(let codec): codec == .rans
        }
    }

    var fault: String? {
        switch positions {
        case .seeded(_, let threshold): threshold >= 1 ? nil : "has the threshold 0"
        case .bits(.none, _): nil
        case .bits(.rans, let width): (1...8).contains(width) ? nil : "has the width \(width) instead of 1 to 8"
        case .bits(let codec, _): "has the codec \(codec.rawValue), which bits do not allow"
        case .gaps(.zstd): "has the codec zstd, which gaps do not allow"
        case .gaps: nil
        }
    }
}

/// What values are divided by (Formats/Silt.md, section 12.3), as the manifest's numbers.
package enum RescaleFactor: Sendable, Hashable {
    case all(Double)
    /// One for each row of the matrix.
    case rows([Double])

    func fault(rows: Int) -> String? {
        let numbers: [Double]
        switch self {
        case .all(let number): numbers = [number]
        case .rows(let each):
            guard each.count == rows else { return "has \(each.count) rescale factors for \(rows) rows" }
            numbers = each
        }
        let areGood = numbers.allSatisfy { Float($0).isFinite && Float($0) > 0 }
        return areGood ? nil : "has a rescale factor that is not above 0 in binary32"
    }
}

/// All that the manifest says of how a matrix is coded (Formats/Silt.md, section 12.3).
package struct MatrixCoding: Sendable, Hashable {
    package var masks: [MaskCoding]
    package var values: ValueCoding
    package var q: RescaleFactor?

    package init(masks: [MaskCoding] = [], values: ValueCoding, q: RescaleFactor? = nil) {
        self.masks = masks
        self.values = values
        self.q = q
    }

    /// What is wrong with it for a matrix of `rows`, as a sentence without a subject; nil if nothing is.
    ///
    /// `MatrixDecoder` takes only codings without a fault.
    package func fault(rows: Int) -> String? {
        guard masks.count <= 3 else { return "has \(masks.count) masks" }
        guard Set(masks.map(\.over)).count == masks.count else { return "has two masks over the same" }
        for mask in masks {
            if let fault = mask.fault { return fault }
        }
        return values.fault ?? q?.fault(rows: rows)
    }
}

/// The cells of a matrix (Formats/Silt.md, section 12.1).
package struct MatrixGrid: Sendable, Hashable {
    /// Elements that a cell has at most, and columns that a matrix has at most.
    package static let cellElements = Grid.limit

    package let rows: Int
    package let columns: Int

    /// The grid of a matrix with at least one row and 1 to 262,144 columns.
    package init(rows: Int, columns: Int) {
        precondition(rows >= 1 && (1...MatrixGrid.cellElements).contains(columns))
        self.rows = rows
        self.columns = columns
    }

    /// Rows of every cell but the last.
    package var rowsPerCell: Int { MatrixGrid.cellElements / columns }
    /// How many cells there are.
    package var cells: Int { (rows - 1) / rowsPerCell + 1 }

    /// The rows of a cell.
    package func rows(of cell: Int) -> Range<Int> {
        let first = cell * rowsPerCell
        return first..<min(first + rowsPerCell, rows)
    }
}
