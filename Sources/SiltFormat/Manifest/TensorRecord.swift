package import TensorTypes

/// A tensor of the result.
package struct TensorRecord: Sendable, Hashable {
    /// Parts that a tensor may have: readers look at all of them for every cell.
    package static let partLimit = 1_024

    package var name: String
    package var info: TensorInfo
    /// Where its data lie in its file, in bytes from the start of the data.
    package var range: Range<Int>
    /// nil: not known, since q was changed.
    package var digest: Digest128?
    /// What predicts it; nil for nothing.
    package var base: BaseRecord?
    package var parts: [PartRecord]
    package var receipt: Receipt?

    package init(
        name: String, info: TensorInfo, range: Range<Int>, digest: Digest128?, base: BaseRecord?,
        parts: [PartRecord], receipt: Receipt? = nil
    ) {
        self.name = name
        self.info = info
        self.range = range
        self.digest = digest
        self.base = base
        self.parts = parts
        self.receipt = receipt
    }

    /// Where cell `cell` begins, in bytes from the start of the tensor.
    package func offset(ofCell cell: Int) -> Int { info.grid.range(cell).lowerBound * info.dtype.elementBytes }

    /// Bytes of cell `cell`.
    package func bytes(ofCell cell: Int) -> Int { info.grid.range(cell).count * info.dtype.elementBytes }

    /// Whether a part has components.
    package var hasComponents: Bool { parts.contains { !$0.components.isEmpty } }

    /// Whether a tensor of the result predicts it whose digest is not known.
    var copiesUnknown: Bool {
        base?.sources.contains { if case .result(let source) = $0 { !source.hasDigest } else { false } } ?? false
    }

    /// Rows and columns of `part` as a matrix (Formats/Silt.md, section 12.1).
    package func matrixShape(of part: PartRecord) -> (rows: Int, columns: Int) {
        let columns = info.matrixColumns
        return (part.elements.count / max(1, columns), columns)
    }
}
