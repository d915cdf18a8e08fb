internal import ByteSources
package import Safetensors
internal import SiltFormat
internal import SiltReading
internal import TensorTypes

/// A tensor of the base, whose digest identifies it.
package struct BaseTensor: Sendable {
    /// Its place among the base's tensors.
    let index: Int
    /// The file of the base directory that has it; nil: it is a tensor of the base's model.
    let file: String?
    package let tensor: Checkpoint.Tensor

    var grid: Grid { tensor.info.grid }

    /// The cell that `elements` are; nil if they are no whole cell.
    func cell(_ elements: Range<Int>) -> Int? {
        let cell = elements.lowerBound / grid.cell
        return cell < grid.count && grid.range(cell) == elements ? cell : nil
    }
}

/// What predicts a tensor that is to be packed: runs of elements of the base's tensors.
package struct PackBase: Sendable {
    /// Each of which a run uses.
    let sources: [BaseTensor]
    /// Ascending.
    let runs: [BaseRecord.Run]
    private let reading: BaseRuns

    init(_ sources: [BaseTensor], _ runs: [BaseRecord.Run]) {
        (self.sources, self.runs) = (sources, runs)
        reading = BaseRuns(runs.map { .init($0.elements, sources[$0.source].tensor, first: $0.first) })
    }

    /// A base tensor whose elements stand at their own indices.
    init(_ tensor: BaseTensor, predicting info: TensorInfo) {
        self.init([tensor], BaseRecord.plainRuns(tensor.tensor.info.elements, info.elements))
    }

    /// What predicts `elements`, as `dtype`; valid until the reader is used again.
    func read(
        _ elements: Range<Int>, as dtype: DType, _ reader: CellReader
    ) throws(SiltError) -> UnsafeRawPointer { try unsafe reader.read(reading, elements, as: dtype) }

    /// The same; with `cell`, the cell of a base tensor that these elements are, its digest goes to `body`.
    func read(
        _ elements: Range<Int>, as dtype: DType, _ reader: CellReader, hashing cell: (base: BaseTensor, cell: Int)?,
        _ body: (BaseTensor, Int, Digest128) throws(SiltError) -> Void
    ) throws(SiltError) -> UnsafeRawPointer {
        guard let (base, cell) = cell else { return try unsafe read(elements, as: dtype, reader) }
        let read = try unsafe reader.read(base.tensor, base.grid.range(cell), as: dtype, hashing: true)
        if let digest = unsafe read.digest { try body(base, cell, digest) }
        return unsafe read.patterns
    }

    /// The cell of a base tensor that `elements`, and nothing else, are predicted by; nil if there is no such cell.
    func cell(_ elements: Range<Int>) -> (base: BaseTensor, cell: Int)? {
        let touched = runs.touching(elements)
        guard touched.count == 1 else { return nil }
        let run = runs[touched.lowerBound]
        guard run.elements.clamped(to: elements) == elements else { return nil }
        let base = sources[run.source]
        return base.cell(run.places(of: elements)).map { (base, $0) }
    }

    /// The elements that are predicted and those that are not, in turn.
    func pieces(of elements: Int) -> [(elements: Range<Int>, hasBase: Bool)] {
        var pieces: [(elements: Range<Int>, hasBase: Bool)] = []
        var next = 0
        for run in runs {
            if run.elements.lowerBound > next { pieces.append((next..<run.elements.lowerBound, false)) }
            if let last = pieces.last, last.hasBase {
                pieces[pieces.count - 1].elements = last.elements.lowerBound..<run.elements.upperBound
            } else {
                pieces.append((run.elements, true))
            }
            next = run.elements.upperBound
        }
        if next < elements { pieces.append((next..<elements, false)) }
        return pieces
    }
}
