package import Safetensors
package import SiltReading
package import TensorTypes

/// A tensor that is to be packed.
package final class PackTensor: Sendable {
    /// Its place among the tensors of the input.
    package let index: Int
    package let entry: SafetensorsHeader.Entry
    package let source: SafetensorsFile
    /// An earlier tensor that has the same bytes: this one is a copy of it, and nothing of it is coded.
    let twin: PackTensor?
    /// What predicts it.
    let base: PackBase?
    /// Base tensors, by their places, whose cells are hashed when this tensor reads them.
    private let hashedBases: Set<Int>
    package let segments: [Segment]

    package var name: String { entry.name }
    package var info: TensorInfo { entry.info }
    package var grid: Grid { entry.info.grid }
    /// Elements that the base has too.
    package var knownElements: Int { segments.first.map { $0.hasBase ? $0.elements.count : 0 } ?? 0 }

    init(
        _ index: Int, _ entry: SafetensorsHeader.Entry, in source: SafetensorsFile, base: PackBase?,
        twin: PackTensor? = nil, hashing hashedBases: Set<Int>, firstSegment: Int
    ) {
        self.index = index
        self.entry = entry
        self.source = source
        self.twin = twin
        self.base = base
        self.hashedBases = hashedBases
        let elements = entry.info.elements
        let pieces =
            twin == nil ? base?.pieces(of: elements) ?? (elements == 0 ? [] : [(0..<elements, false)]) : []
        segments = pieces.enumerated().map { place, piece in
            Segment(firstSegment + place, elements: piece.elements, hasBase: piece.hasBase, of: entry.info)
        }
    }

    /// The cell of a base tensor that `elements`, and nothing else, are predicted by, and that this tensor hashes.
    func hashedBase(_ elements: Range<Int>) -> (base: BaseTensor, cell: Int)? {
        guard let found = base?.cell(elements), hashedBases.contains(found.base.index) else { return nil }
        return found
    }

    /// Cells of the base that this tensor reads whole and hashes.
    var hashedBaseCells: [(base: BaseTensor, cell: Int)] {
        guard !hashedBases.isEmpty else { return [] }
        var cells: [(base: BaseTensor, cell: Int)] = []
        for segment in segments where segment.hasBase {
            for cell in segment.cells {
                if let found = hashedBase(grid.range(cell).clamped(to: segment.elements)) { cells.append(found) }
            }
        }
        return cells
    }

    /// What predicts `elements`, all of which have a base, as the tensor's dtype; valid until the reader is used again.
    package func readBase(_ elements: Range<Int>, _ reader: CellReader) throws(SiltError) -> UnsafeRawPointer {
        guard let base else { throw fault("a tensor without a base is predicted") }
        return try unsafe base.read(elements, as: info.dtype, reader)
    }

    /// Reads `elements` of the tensor.
    package func read(_ elements: Range<Int>, into buffer: ByteBuffer) throws(SiltError) -> UnsafeRawBufferPointer {
        let width = info.dtype.elementBytes
        let start = entry.range.lowerBound + elements.lowerBound * width
        buffer.reserve(elements.count * width)
        let bytes = unsafe buffer.prefix(elements.count * width)
        do throws(SiltError) {
            try unsafe source.read(start..<start + bytes.count, into: bytes)
        } catch {
            throw error.at(tensor: name)
        }
        return UnsafeRawBufferPointer(bytes)
    }

    /// What is thrown where a second reading finds other data.
    var changed: SiltError { SiltError.changed(source.path, name) }

    /// What is thrown where this program contradicts itself; better an error than a wrong file.
    func fault(_ what: String) -> SiltError { SiltError.fault(what, file: source.path, tensor: name) }
}

extension SiltError {
    static func changed(_ file: String, _ tensor: String?) -> SiltError {
        SiltError(
            .changed, "the data changed between the first read and the second", file: file, tensor: tensor,
            advice: "pack again when nothing is writing to the file")
    }

    /// An error that only a mistake in this program can cause.
    static func fault(_ what: String, file: String? = nil, tensor: String? = nil) -> SiltError {
        SiltError(.fault, "\(what); this is a bug in silt, please report it", file: file, tensor: tensor)
    }
}
