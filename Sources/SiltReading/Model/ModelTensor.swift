internal import Safetensors
internal import ByteSources
internal import SiltFormat
internal import TensorTypes

/// A tensor of an open model, any bytes of which can be read.
final class ModelTensor: Sendable {
    private let rebuild: TensorRebuild
    var record: TensorRecord { rebuild.record }

    /// Those that predict it.
    let baseTensors: [BaseTensor]

    init(_ rebuild: TensorRebuild) {
        self.rebuild = rebuild
        baseTensors = rebuild.base?.baseTensors ?? []
    }

    /// Fills `buffer` with the bytes from `offset` on, counted from the tensor's first; decodes the cells that they touch.
    ///
    /// - Throws: what reading throws; where a chunk does not decode, `baseContent` if the base is to blame.
    func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int, _ model: SiltModel, _ worker: DecodeWorker
    ) throws(SiltError) {
        let width = record.info.dtype.elementBytes
        let end = offset + buffer.count
        let elements = offset / width..<(end + width - 1) / width
        let cells = record.info.grid.cells(touching: elements)
        try prepare(cells, model)
        for cell in cells {
            let bytes = try unsafe rebuilt(cell, model, worker)
            let start = record.offset(ofCell: cell)
            let wanted = (offset..<end).clamped(to: start..<start + bytes.count)
            unsafe UnsafeMutableRawBufferPointer(
                rebasing: buffer[wanted.lowerBound - offset..<wanted.upperBound - offset]
            )
            .copyMemory(
                from: UnsafeRawBufferPointer(rebasing: bytes[wanted.lowerBound - start..<wanted.upperBound - start]))
        }
        try model.file.container.source.checkUnchanged()
        for base in baseTensors { try base.tensor.file.input.checkUnchanged() }
        if rebuild.hasSeenAll { try finish(model, worker) }
    }

    /// The bytes of a cell; those of the cell that the worker rebuilt last are there already.
    private func rebuilt(
        _ cell: Int, _ model: SiltModel, _ worker: DecodeWorker
    ) throws(SiltError) -> UnsafeRawBufferPointer {
        if let held = worker.held, held == (ObjectIdentifier(self), cell) {
            return unsafe UnsafeRawBufferPointer(worker.result.prefix(record.bytes(ofCell: cell)))
        }
        worker.held = nil
        if let error = try rebuild.rebuild(cell, model.reader, worker) { throw try diagnosis(error, model, worker) }
        worker.held = (ObjectIdentifier(self), cell)
        return unsafe UnsafeRawBufferPointer(worker.result.prefix(record.bytes(ofCell: cell)))
    }

    /// Compares the digests of base and result, once all cells of the result were seen.
    func finish(_ model: SiltModel, _ worker: DecodeWorker) throws(SiltError) {
        for base in baseTensors { for cell in base.missingCells { try base.readCell(cell, worker.base) } }
        try rebuild.judge(model.binding)
    }

    /// What is to blame for a chunk that has its checksum and does not decode: the base, unless that has its digest.
    private func diagnosis(
        _ error: SiltError, _ model: SiltModel, _ worker: DecodeWorker
    ) throws(SiltError) -> SiltError {
        for base in baseTensors { for cell in base.missingCells { try base.readCell(cell, worker.base) } }
        do throws(SiltError) {
            try rebuild.judge(model.binding, failure: error)
        } catch {
            return error
        }
        return error.at(tensor: record.name)
    }

    /// Announces what the cells need to sources that are far.
    private func prepare(_ cells: Range<Int>, _ model: SiltModel) throws(SiltError) {
        let container = model.file.container
        if container.source.isFar {
            let chunks = cells.flatMap { record.chunks(ofCell: $0) }
            let places = Set(chunks).sorted().map { container.place(of: $0) }.filter { !$0.isEmpty }
            try container.source.prepare(places)
        }
        guard baseTensors.contains(where: { $0.tensor.file.input.isFar }) else { return }
        for base in baseTensors where base.tensor.file.input.isFar {
            let (tensor, width) = (base.tensor, base.tensor.info.dtype.elementBytes)
            let start = tensor.file.header.dataStart + tensor.range.lowerBound
            var places: [Range<Int>] = []
            for cell in cells {
                try rebuild.forEachBaseRange(cell) { (read, elements) throws(SiltError) in
                    guard read === base else { return }
                    places.append(start + elements.lowerBound * width..<start + elements.upperBound * width)
                }
            }
            try tensor.file.input.prepare(places.sorted { $0.lowerBound < $1.lowerBound })
        }
    }
}

extension TensorRecord {
    /// The chunks that cell `cell` is made from, those of tables and of whole factors among them.
    fileprivate func chunks(ofCell cell: Int) -> [Int] {
        var chunks: [Int] = []
        let range = info.grid.range(cell)
        for part in parts where !range.clamped(to: part.elements).isEmpty {
            let index = cell - part.elements.lowerBound / info.grid.cell
            if part.codec != nil { chunks.append(part.chunks.lowerBound + index) }
            chunks += part.allTables
            for component in part.components {
                switch component {
                case .sparse(let matrix):
                    chunks.append(matrix.chunks.lowerBound + index)
                    if let column = matrix.columnChunk { chunks.append(column) }
                case .lowRank(let product):
                    for factor in [product.left, product.right] {
                        chunks += factor.chunks
                        if let column = factor.columnChunk { chunks.append(column) }
                    }
                }
            }
        }
        return chunks
    }
}
