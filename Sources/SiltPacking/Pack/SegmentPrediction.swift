internal import SiltReading
internal import Safetensors
internal import SiltFormat
internal import Synchronization
internal import TensorTypes

/// A prediction over which a segment's residual is coded, with its chunks until they are written.
final class SegmentPrediction: Sendable {
    /// As the file records them, once the chunks are written.
    private let written = Mutex<[ComponentRecord]?>(nil)
    private let components: [ComponentRecord]
    private let chunks: Mutex<ComponentChunks>
    /// The decoded factors, from the first cell of a pass to its last: a model has many predictions, and few at a time are
    /// in use.
    private let state: Mutex<(predictor: Predictor?, cellsLeft: Int)>
    private let cells: Int
    private let record: TensorRecord
    private let part: PartRecord

    init(components: [ComponentRecord], chunks: ComponentChunks, _ tensor: TensorTask) {
        self.components = components
        self.chunks = Mutex(chunks)
        cells = tensor.grid.cells(touching: tensor.segments[0].elements).count
        state = Mutex((nil, cells))
        part = PartRecord(kind: .copy, elements: tensor.segments[0].elements, components: components)
        record = TensorRecord(
            name: tensor.entry.name, info: tensor.info, range: tensor.entry.range, digest: nil, base: nil,
            parts: [part])
    }

    /// The predicted patterns of a cell, valid until the workspace is used again.
    ///
    /// Every pass over the segment asks once for each of its cells.
    func predict(
        _ cell: Int, base: UnsafeRawPointer, count: Int, _ dtype: DType, _ workspace: Predictor.Workspace
    ) throws(SiltError) -> UnsafeRawPointer {
        workspace.prediction.reserve(count * dtype.elementBytes)
        let predictor = state.withLock { state -> Predictor in
            let predictor = state.predictor ?? Predictor(MemoryChunks(chunks: chunks.withLock { $0.chunks }))
            state.cellsLeft -= 1
            state.predictor = state.cellsLeft == 0 ? nil : predictor
            if state.cellsLeft == 0 { state.cellsLeft = cells }
            return predictor
        }
        try unsafe predictor.predict(
            record, part, cell: cell, base: base, into: workspace.prediction.start, count: count, workspace)
        return unsafe UnsafeRawPointer(workspace.prediction.start)
    }

    /// Writes the chunks, the first time; the caller lets one thread through.
    func write(to writer: ContainerWriter) throws(SiltError) {
        guard written.withLock({ $0 == nil }) else { return }
        let offset = writer.table.count
        for chunk in chunks.withLock({ $0.chunks }) { _ = try writer.append(chunk) }
        let moved = components.map { $0.moved(by: offset) }
        written.withLock { $0 = moved }
    }

    /// Lets go of the chunks, once they are written and every cell is coded.
    func release() { chunks.withLock { $0 = ComponentChunks() } }

    /// The components as the file records them; nil until they are written.
    var records: [ComponentRecord]? { written.withLock { $0 } }
}
