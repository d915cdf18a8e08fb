package import Safetensors
package import TensorTypes

/// A tensor of the base, whose digest identifies it.
package struct BaseTensor: Sendable {
    /// Its place among the base's tensors.
    let index: Int
    package let tensor: Checkpoint.Tensor

    var grid: Grid { tensor.info.grid }
}

/// A tensor that is to be packed.
package final class PackTensor: Sendable {
    /// Its place among the tensors of the input.
    package let index: Int
    package let entry: SafetensorsHeader.Entry
    package let source: SafetensorsFile
    /// The base tensor that predicts it.
    package let base: BaseTensor?
    /// Whether this is the tensor whose reading hashes the base tensor's cells.
    private let hashesBase: Bool
    package let segments: [Segment]

    package var name: String { entry.name }
    package var info: TensorInfo { entry.info }
    package var grid: Grid { entry.info.grid }
    /// Elements that the base has too.
    package var knownElements: Int { segments.first.map { $0.hasBase ? $0.elements.count : 0 } ?? 0 }

    init(
        _ index: Int, _ entry: SafetensorsHeader.Entry, in source: SafetensorsFile, base: BaseTensor?,
        hashesBase: Bool, firstSegment: Int
    ) {
        self.index = index
        self.entry = entry
        self.source = source
        self.base = base
        self.hashesBase = hashesBase
        let elements = entry.info.elements
        let known = base.map { min(elements, $0.tensor.info.elements) } ?? 0
        var segments: [Segment] = []
        for (run, hasBase) in [(0..<known, true), (known..<elements, false)] where !run.isEmpty {
            segments.append(Segment(firstSegment + segments.count, elements: run, hasBase: hasBase, of: entry.info))
        }
        self.segments = segments
    }

    /// Whether reading `elements` of the base for `cell` reads a whole cell of the base tensor, which this tensor hashes.
    func hashesBase(_ cell: Int, _ elements: Range<Int>) -> Bool { hashesBase && isBaseCell(cell, elements) }

    /// Whether `elements` are the whole cell of the base tensor.
    func isBaseCell(_ cell: Int, _ elements: Range<Int>) -> Bool { base?.grid.range(cell) == elements }

    /// Cells of the base that this tensor reads whole and hashes.
    var hashedBaseCells: [Int] {
        guard hashesBase, let base else { return [] }
        return (0..<min(base.grid.count, grid.count)).filter { cell in
            isBaseCell(cell, grid.range(cell).clamped(to: 0..<knownElements))
        }
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
