internal import Safetensors
internal import SiltFormat
internal import Synchronization
internal import TensorTypes

/// A tensor on its way back: rebuilds its cells one by one, in any order, and judges them when it has seen them all.
final class TensorRebuild: Sendable {
    let record: TensorRecord
    /// Index of the result's file.
    let file: Int
    let base: Checkpoint.Tensor?
    private let resultDigests: DigestSlots
    private let baseDigests: DigestSlots

    init(_ record: TensorRecord, file: Int, base: Checkpoint.Tensor?) {
        self.record = record
        self.file = file
        self.base = base
        resultDigests = DigestSlots(record.info.grid.count)
        baseDigests = DigestSlots(base?.info.grid.count ?? 0)
    }

    /// Whether every cell of the result was seen.
    var hasSeenAll: Bool { resultDigests.tree != nil }

    /// The part of the base that cell `index` of the result needs; nil if it needs none.
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

    /// Cells of the base that no cell of the result reads exactly.
    var uncoveredBaseCells: [Int] {
        guard let grid = base?.info.grid else { return [] }
        let own = record.info.grid
        return (0..<grid.count).filter { $0 >= own.count || baseRange($0) != grid.range($0) }
    }

    /// Rebuilds cell `cell`: its bytes are the first of the worker's result.
    ///
    /// - Returns: how a chunk that has its checksum did not decode; nil if all did. With a wrong base that is to be expected, so the base
    ///   is judged first.
    /// - Throws: what reading throws; `changed` if the cell, or its base, is not what an earlier reading found.
    func rebuild(_ cell: Int, _ reader: PartReader, _ worker: DecodeWorker) throws(SiltError) -> SiltError? {
        let range = record.info.grid.range(cell)
        let width = record.info.dtype.elementBytes
        worker.result.reserve(range.count * width)
        let output = unsafe worker.result.prefix(range.count * width)
        var basePatterns: UnsafeRawPointer?
        let needed = baseRange(cell)
        if let base, let needed {
            let isWhole = cell < base.info.grid.count && base.info.grid.range(cell) == needed
            // What is rebuilt takes the place of the base's elements, where these lie as the result's do: one buffer is in the
            // cache, not two.
            let read = try unsafe worker.base.read(
                base, needed, as: record.info.dtype, hashing: isWhole,
                into: needed.lowerBound == range.lowerBound ? worker.result : nil)
            if let digest = unsafe read.digest, !baseDigests.settle(cell, digest) {
                throw changed(base.name, base.file.path)
            }
            unsafe basePatterns = read.patterns
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
        let bytes = UnsafeRawBufferPointer(output)
        guard unsafe resultDigests.settle(cell, Digest128(of: bytes)) else { throw changed(record.name, nil) }
        return nil
    }

    /// Takes the digest of a cell of the base.
    func readBase(_ cell: Int, _ worker: DecodeWorker) throws(SiltError) {
        guard let base else { return }
        let range = base.info.grid.range(cell)
        let read = try unsafe worker.base.read(base, range, as: base.info.dtype, hashing: true)
        if let digest = unsafe read.digest, !baseDigests.settle(cell, digest) {
            throw changed(base.name, base.file.path)
        }
    }

    /// Judges the tensor once all cells, of the base too, were seen.
    ///
    /// - Parameter failure: the first chunk that did not decode.
    /// - Throws: `baseContent` before anything else, since with a wrong base nothing can be right; then what the chunk said;
    ///   then `result`.
    func judge(_ binding: BaseBinding, failure: SiltError? = nil) throws(SiltError) {
        if let base = record.base, let found = baseDigests.tree, found != base.digest {
            throw binding.fault(
                .baseContent, base,
                "the base's tensor has digest \(found.hex), the one packed against \(base.digest.hex)")
        }
        if let failure { throw failure.at(tensor: record.name) }
        if let expected = record.digest, resultDigests.tree != expected {
            throw SiltError(
                .result,
                "the rebuilt tensor has digest \(resultDigests.tree?.hex ?? "none"), expected \(expected.hex)",
                tensor: record.name, advice: "the Silt file is damaged, or this is a bug in silt")
        }
    }

    private func changed(_ tensor: String, _ file: String?) -> SiltError {
        SiltError(
            .changed, "the data changed between two readings", file: file, tensor: tensor,
            advice: "something else is writing to the base or the Silt file")
    }
}
