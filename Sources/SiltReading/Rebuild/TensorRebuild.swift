internal import Safetensors
internal import SiltFormat
internal import Synchronization
internal import TensorTypes

/// A tensor on its way back: rebuilds its cells one by one, in any order, and judges them when it has seen them all.
final class TensorRebuild: Sendable {
    let record: TensorRecord
    /// Index of the result's file.
    let file: Int
    /// What predicts it.
    let base: TensorBase?
    private let resultDigests: DigestSlots

    init(_ record: TensorRecord, file: Int, base: TensorBase?) {
        self.record = record
        self.file = file
        self.base = base
        resultDigests = DigestSlots(record.info.grid.count)
    }

    /// Whether every cell of the result was seen.
    var hasSeenAll: Bool { resultDigests.tree != nil }

    /// The elements of cell `index` that need the base, and what lies between them; nil if it needs none.
    func baseRange(_ index: Int) -> Range<Int>? {
        guard base != nil else { return nil }
        let cell = record.info.grid.range(index)
        // Once for every cell: no arrays on the way.
        var needed: Range<Int>?
        for part in record.parts where part.kind != .whole {
            let elements = part.elements.clamped(to: cell)
            guard !elements.isEmpty else { continue }
            needed = (needed?.lowerBound ?? elements.lowerBound)..<elements.upperBound
        }
        return needed
    }

    /// Calls `body` with each base tensor that cell `index` reads, and the elements that it reads of it.
    func forEachBaseRange(
        _ index: Int, _ body: (BaseTensor, Range<Int>) throws(SiltError) -> Void
    ) throws(SiltError) {
        guard let base, let needed = baseRange(index) else { return }
        try base.forEachBaseRange(needed, body)
    }

    /// Rebuilds cell `cell`: its bytes are the first of the worker's result.
    ///
    /// - Returns: how a chunk that has its checksum did not decode; nil if all did. With a wrong base that is to be expected, so the base
    ///   is judged first.
    /// - Throws: what reading throws; `changed` if the cell, or its base, is not what an earlier reading found.
    func rebuild(_ cell: Int, _ reader: PartReader, _ worker: DecodeWorker) throws(SiltError) -> SiltError? {
        if let failure = try decode(cell, reader, worker) { return failure }
        let bytes = unsafe UnsafeRawBufferPointer(worker.result.prefix(record.bytes(ofCell: cell)))
        guard unsafe resultDigests.settle(cell, Digest128(of: bytes)) else { throw SiltError.changed(record.name, nil) }
        return nil
    }

    private func decode(_ cell: Int, _ reader: PartReader, _ worker: DecodeWorker) throws(SiltError) -> SiltError? {
        let range = record.info.grid.range(cell)
        let width = record.info.dtype.elementBytes
        worker.result.reserve(range.count * width)
        var basePatterns: UnsafeRawPointer?
        let needed = baseRange(cell)
        if let base, let needed {
            // What is rebuilt takes the place of the base's elements, where these lie as the result's do: one buffer is in the
            // cache, not two.
            do throws(SiltError) {
                unsafe basePatterns = try unsafe base.read(
                    needed, as: record.info.dtype, reader, worker,
                    into: needed.lowerBound == range.lowerBound ? worker.result : nil)
            } catch  where error.code == .chunk || error.code == .tables {
                // Of a source in the result.
                return error
            }
        }
        for part in record.parts {
            let piece = range.clamped(to: part.elements)
            guard !piece.isEmpty else { continue }
            var patterns: UnsafeRawPointer?
            if part.kind != .whole, let needed, let all = unsafe basePatterns {
                unsafe patterns = all + (piece.lowerBound - needed.lowerBound) * width
            }
            let target = unsafe worker.result.start + (piece.lowerBound - range.lowerBound) * width
            let failure = try unsafe reader.read(
                part, of: record, cell: cell - part.elements.lowerBound / record.info.grid.cell, base: patterns,
                into: target, count: piece.count, worker)
            if let failure { return failure }
        }
        return nil
    }

    /// Rebuilds elements for a tensor that they predict; the cell that the worker decoded last is there already.
    ///
    /// - Throws: what reading throws; how a chunk did not decode.
    func copy(
        _ elements: Range<Int>, to target: UnsafeMutableRawPointer, _ reader: PartReader, _ worker: DecodeWorker
    ) throws(SiltError) {
        let width = record.info.dtype.elementBytes
        for cell in record.info.grid.cells(touching: elements) {
            let range = record.info.grid.range(cell)
            if worker.held.map({ $0 != (ObjectIdentifier(self), cell) }) ?? true {
                worker.held = nil
                if let failure = try decode(cell, reader, worker) { throw failure.at(tensor: record.name) }
                worker.held = (ObjectIdentifier(self), cell)
            }
            let piece = elements.clamped(to: range)
            let from = unsafe worker.result.start + (piece.lowerBound - range.lowerBound) * width
            unsafe (target + (piece.lowerBound - elements.lowerBound) * width)
                .copyMemory(from: from, byteCount: piece.count * width)
        }
    }

    /// Judges the tensor once all cells, of the base too, were seen.
    ///
    /// - Parameter failure: the first chunk that did not decode.
    /// - Throws: `baseContent` before anything else, since with a wrong base nothing can be right; then what the chunk said;
    ///   then `result`.
    func judge(_ binding: BaseBinding, failure: SiltError? = nil) throws(SiltError) {
        for tensor in base?.baseTensors ?? [] { try tensor.judge(binding) }
        if let failure { throw failure.at(tensor: record.name) }
        if let expected = record.digest, resultDigests.tree != expected {
            throw SiltError(
                .result,
                "the rebuilt tensor has digest \(resultDigests.tree?.hex ?? "none"), expected \(expected.hex)",
                tensor: record.name, advice: "the Silt file is damaged, or this is a bug in silt")
        }
    }
}
