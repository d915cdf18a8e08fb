internal import DeltaKernels
package import Safetensors
package import SiltFormat
internal import Synchronization
package import TensorTypes

/// Takes histograms of deltas while tensors are rebuilt: of the rebuilt ones, and of the fine-tuned ones where a checkpoint
/// is at hand.
///
/// Counts are whole numbers, so it does not matter which thread adds which cell when. A tensor takes 4 KiB.
package final class DeltaSurvey: Sendable {
    /// A tensor with a base, and its counts so far.
    private final class Surveyed: Sendable {
        let record: TensorRecord
        let base: BaseRuns
        let fineTuned: Checkpoint.Tensor?
        let counts = Mutex<(rebuilt: [Int], fineTuned: [Int])>((DeltaSurvey.none, DeltaSurvey.none))

        init(_ record: TensorRecord, _ base: BaseRuns, _ fineTuned: Checkpoint.Tensor?) {
            self.record = record
            self.base = base
            self.fineTuned = fineTuned
        }
    }

    private static let none = [Int](repeating: 0, count: DeltaCounter.slots + 1)

    private let surveyed: [ByteName: Surveyed]

    /// Finds the float tensors that have a base.
    ///
    /// What base or fine-tuned checkpoint lack is left out here; verification says so.
    package init(_ manifest: Manifest, _ binding: BaseBinding, fineTuned: Checkpoint?) {
        var surveyed: [ByteName: Surveyed] = [:]
        for (record, base) in zip(manifest.tensors, manifest.baseRuns(binding)) where record.info.dtype.isPredictable {
            guard let base, base.knownElements > 0 else { continue }
            let source = fineTuned?[record.name].flatMap { $0.info == record.info ? $0 : nil }
            surveyed[ByteName(record.name)] = Surveyed(record, base, source)
        }
        self.surveyed = surveyed
    }

    /// Adds a rebuilt cell of `tensor`; `offset` counts from the start of its file's data.
    package func add(
        _ bytes: UnsafeRawBufferPointer, at offset: Int, tensor: String, _ worker: DecodeWorker
    ) throws(SiltError) {
        guard let item = surveyed[ByteName(tensor)], let rebuilt = bytes.baseAddress else { return }
        let dtype = item.record.info.dtype
        let width = dtype.elementBytes
        let first = (offset - item.record.range.lowerBound) / width
        // Rows past the base's end have no delta.
        let count = min(first + bytes.count / width, item.base.knownElements) - first
        guard count > 0 else { return }
        let known = first..<first + count
        let patterns = try unsafe worker.base.read(item.base, known, as: dtype)
        let base = unsafe FloatConversion.floats(patterns, dtype, count, worker.baseFloats)
        let counter = worker.deltas
        let found = unsafe counter.count(
            FloatConversion.floats(rebuilt, dtype, count, worker.resultFloats), base, count: count)
        var source: [Int]?
        if let fineTuned = item.fineTuned {
            let start = fineTuned.range.lowerBound + first * width
            worker.comparison.reserve(count * width)
            let buffer = unsafe worker.comparison.prefix(count * width)
            try unsafe fineTuned.file.read(start..<start + count * width, into: buffer)
            source = unsafe counter.count(
                FloatConversion.floats(UnsafeRawPointer(worker.comparison.start), dtype, count, worker.sourceFloats),
                base,
                count: count)
        }
        let fineTunedCounts = source
        item.counts.withLock { counts in
            for slot in found.indices { counts.rebuilt[slot] += found[slot] }
            guard let fineTunedCounts else { return }
            for slot in fineTunedCounts.indices { counts.fineTuned[slot] += fineTunedCounts[slot] }
        }
    }

    /// The histograms of `tensor`; nil where it has no base, or is not in the fine-tuned checkpoint.
    package func histograms(of tensor: String) -> (rebuilt: DeltaHistogram?, fineTuned: DeltaHistogram?) {
        guard let item = surveyed[ByteName(tensor)] else { return (nil, nil) }
        func histogram(_ counts: [Int]) -> DeltaHistogram {
            DeltaHistogram(slots: Array(counts.dropLast()), zeros: counts.last ?? 0)
        }
        let counts = item.counts.withLock { $0 }
        return (histogram(counts.rebuilt), item.fineTuned == nil ? nil : histogram(counts.fineTuned))
    }
}
