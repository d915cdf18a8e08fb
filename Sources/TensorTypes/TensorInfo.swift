/// A tensor as a checkpoint declares it: dtype and extents.
public struct TensorInfo: Sendable, Hashable {
    /// Element type.
    public let dtype: DType
    /// Extents, slowest first (C order).
    ///
    /// Empty for a scalar.
    public let shape: [Int]
    /// Number of values: the product of the extents, 1 for a scalar.
    public let parameters: Int
    /// Bytes of the data.
    public let bytes: Int

    /// Columns of the tensor as a matrix: the product of all extents but the first, 1 for vectors and scalars
    /// (Formats/Silt.md, section 12.1).
    package var matrixColumns: Int { rowElements ?? 1 }

    /// Checks that the sizes can be counted: every extent at least 0, the product and its bits within `Int`, and a
    /// whole number of bytes.
    ///
    /// Returns nil otherwise.
    public init?(dtype: DType, shape: [Int]) {
        var count = 1
        for extent in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard extent >= 0, !overflow else { return nil }
            count = product
        }
        let (bits, overflow) = count.multipliedReportingOverflow(by: dtype.bits)
        guard !overflow, bits % 8 == 0 else { return nil }
        self.dtype = dtype
        self.shape = shape
        parameters = count
        bytes = bits / 8
    }

    /// Number of *elements* in the sense of Formats/Silt.md 4.3 (bytes, for types below 8 bits).
    package var elements: Int { bytes / dtype.elementBytes }

    /// Elements of one row: the product of all extents but the first; nil where rows have no meaning (rank below 2, sub-byte
    /// types, or an extent of 0).
    package var rowElements: Int? {
        guard shape.count >= 2, dtype.bits >= 8, shape.allSatisfy({ $0 > 0 }) else { return nil }
        return parameters / shape[0]
    }

    /// The grid on which this tensor is cut (Formats/Silt.md 4.3).
    package var grid: Grid { Grid(self) }

    /// `BF16 [30522, 384]`, for people.
    public var description: String { "\(dtype.rawValue) [\(shape.map(String.init).joined(separator: ", "))]" }
}

/// The cells of a tensor: runs of `cell` elements, row-aligned where rows fit (Formats/Silt.md 4.3, "The grid").
package struct Grid: Sendable, Hashable {
    /// Elements that a cell holds at most.
    package static let limit = 262_144
    /// Elements that a factor of a product, of which every cell needs all, holds at most (Formats/Silt.md 12.2).
    package static let factorLimit = 16_777_216
    /// Elements of every cell but the last.
    package let cell: Int
    /// Elements of the tensor.
    package let elements: Int

    package init(_ info: TensorInfo) {
        elements = info.elements
        if let row = info.rowElements, row <= Grid.limit {
            cell = row * (Grid.limit / row)
        } else {
            cell = Grid.limit
        }
    }

    /// How many cells there are; 0 for a tensor without elements.
    package var count: Int { (elements + cell - 1) / cell }

    /// The elements of cell `index`.
    package func range(_ index: Int) -> Range<Int> { index * cell..<min(elements, (index + 1) * cell) }

    /// The cells that the elements `range` touch.
    package func cells(touching range: Range<Int>) -> Range<Int> {
        range.isEmpty ? 0..<0 : range.lowerBound / cell..<(range.upperBound - 1) / cell + 1
    }
}
