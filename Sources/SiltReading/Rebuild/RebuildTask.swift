internal import Safetensors
internal import SiltFormat
internal import Synchronization
internal import TensorTypes

/// A tensor that is being rebuilt: its cells' digests, and what went wrong.
final class RebuildTask: Sendable {
    let record: TensorRecord
    /// Index of the result's file.
    let file: Int
    let base: Checkpoint.Tensor?
    let resultDigests: DigestSlots
    let baseDigests: DigestSlots
    /// Jobs that are not done yet: one for each cell of the result, and for each of the base that those do not read.
    let jobsLeft: Atomic<Int>
    /// The first chunk that did not decode.
    let failure = Mutex<SiltError?>(nil)

    init(_ record: TensorRecord, file: Int, base: Checkpoint.Tensor?) {
        self.record = record
        self.file = file
        self.base = base
        resultDigests = DigestSlots(record.info.grid.count)
        baseDigests = DigestSlots(base?.info.grid.count ?? 0)
        jobsLeft = Atomic(0)
        jobsLeft.store(record.info.grid.count + uncoveredBaseCells.count, ordering: .relaxed)
    }

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

    /// Judges the tensor when its last job is done.
    ///
    /// - Throws: `baseContent` before anything else, since with a wrong base nothing can be right; then what a chunk said;
    ///   then `result`.
    func finishJob(_ binding: BaseBinding) throws(SiltError) {
        guard jobsLeft.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { return }
        try judge(binding)
    }

    /// The judgement of `finishJob`; for a tensor without cells, at once.
    func judge(_ binding: BaseBinding) throws(SiltError) {
        if let base = record.base, let found = baseDigests.tree, found != base.digest {
            throw binding.fault(
                .baseContent, base,
                "the base's tensor has digest \(found.hex), the one packed against \(base.digest.hex)")
        }
        if let failure = failure.withLock({ $0 }) { throw failure.at(tensor: record.name) }
        if let expected = record.digest, resultDigests.tree != expected {
            throw SiltError(
                .result,
                "the rebuilt tensor has digest \(resultDigests.tree?.hex ?? "none"), expected \(expected.hex)",
                tensor: record.name, advice: "the Silt file is damaged, or this is a bug in silt")
        }
    }
}
