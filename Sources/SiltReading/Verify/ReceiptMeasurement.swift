internal import DeltaKernels
internal import Safetensors
package import SiltFormat
internal import Synchronization
internal import ByteSources
package import TensorTypes

/// Measures how far rebuilt tensors are from the fine-tuned checkpoint's, while they are rebuilt.
///
/// Tensors that a lossy file keeps exactly must be equal, as under the other contract (`Comparison`).
package final class ReceiptMeasurement: Sendable {
    /// A tensor that is measured: where it lies in the fine-tuned checkpoint, and its sums cell by cell.
    private final class Measured: Sendable {
        let record: TensorRecord
        let source: Checkpoint.Tensor
        let base: BaseRuns
        let sums: Mutex<[ReceiptSums]>

        init(_ record: TensorRecord, _ source: Checkpoint.Tensor, _ base: BaseRuns) {
            self.record = record
            self.source = source
            self.base = base
            sums = Mutex(Array(repeating: ReceiptSums(), count: record.info.grid.count))
        }

        var total: ReceiptSums {
            sums.withLock { $0.reduce(into: ReceiptSums()) { $0.add($1) } }
        }
    }

    private let measured: [ByteName: Measured]
    private let order: [ByteName]
    /// Tensors whose gained rows are not the fine-tuned checkpoint's.
    private let unequal = Mutex<Set<ByteName>>([])

    /// Whether a tensor of a lossy file differs from the fine-tuned checkpoint's by design.
    package static func isLossy(_ record: TensorRecord, _ manifest: Manifest) -> Bool {
        let isNear = record.parts.contains { $0.kind == .copy && !$0.components.isEmpty }
        return manifest.contract == .lossy && (isNear || record.receipt != nil)
    }

    /// Finds the lossy tensors in the checkpoint `path`.
    ///
    /// - Throws: `usage` if it lacks one, or has it in another shape.
    init(_ manifest: Manifest, _ path: String, _ binding: BaseBinding) throws(SiltError) {
        let checkpoint = try Checkpoint.asResult(path)
        var measured: [ByteName: Measured] = [:]
        var order: [ByteName] = []
        let records = manifest.tensors
        for record in records where ReceiptMeasurement.isLossy(record, manifest) {
            guard let source = checkpoint[record.name], source.info == record.info else {
                throw SiltError(
                    .usage, "the fine-tuned checkpoint lacks this tensor, or has it in another shape", file: path,
                    tensor: record.name)
            }
            guard record.base != nil else { continue }
            let base = try BaseRuns(record, binding) { records[$0] }
            measured[ByteName(record.name)] = Measured(record, source, base)
            order.append(ByteName(record.name))
        }
        self.measured = measured
        self.order = order
    }

    /// Adds a rebuilt cell of `tensor`; `offset` counts from the start of its file's data.
    package func add(
        _ bytes: UnsafeRawBufferPointer, file: Int, at offset: Int, tensor: String, _ worker: DecodeWorker
    ) throws(SiltError) {
        guard let item = measured[ByteName(tensor)], let result = bytes.baseAddress else { return }
        let info = item.record.info
        let width = info.dtype.elementBytes
        let first = (offset - item.record.range.lowerBound) / width
        let start = item.source.range.lowerBound + first * width
        worker.comparison.reserve(bytes.count)
        try unsafe item.source.file.read(start..<start + bytes.count, into: worker.comparison.prefix(bytes.count))
        let fineTuned = unsafe UnsafeRawPointer(worker.comparison.start)
        // Rows that the result has gained, past the base's end, are exact.
        let end = min(first + bytes.count / width, item.base.knownElements)
        let count = max(0, end - first)
        let gained = bytes.count - count * width
        if gained > 0, unsafe !Bits.areEqual(result + count * width, fineTuned + count * width, bytes: gained) {
            _ = unequal.withLock { $0.insert(ByteName(tensor)) }
        }
        guard first < end else { return }
        let known = first..<end
        let base = try unsafe worker.base.read(item.base, known, as: info.dtype)
        var sums = ReceiptSums()
        unsafe sums.add(
            result: FloatConversion.floats(result, info.dtype, count, worker.resultFloats),
            fineTuned: FloatConversion.floats(fineTuned, info.dtype, count, worker.sourceFloats),
            base: FloatConversion.floats(base, info.dtype, count, worker.baseFloats), count: count)
        let cell = first / info.grid.cell
        let measuredSums = sums
        item.sums.withLock { $0[cell] = measuredSums }
    }

    /// The receipts, by tensor and overall.
    package var receipts: (byTensor: [ByteName: Receipt], overall: Receipt) {
        var total = ReceiptSums()
        var byTensor: [ByteName: Receipt] = [:]
        for name in order {
            guard let sums = measured[name]?.total else { continue }
            total.add(sums)
            byTensor[name] = sums.receipt
        }
        return (byTensor, total.receipt)
    }

    /// The measured tensors, in the order of the file.
    package var tensors: [VerifyReport.TensorReceipt] {
        order.compactMap { name in
            measured[name].map { VerifyReport.TensorReceipt(name: name.string, $0.total.receipt) }
        }
    }

    /// Where the recorded receipts are not what was measured.
    package func differences(_ manifest: Manifest) -> [VerifyReport.Difference] {
        let found = receipts
        var differences: [VerifyReport.Difference] = unequal.withLock { names in
            order.filter(names.contains).map {
                .init(
                    file: nil, tensor: $0.string, what: "rows that the base does not have differ", kind: .against)
            }
        }
        func compare(_ recorded: Receipt?, _ measured: Receipt?, tensor: String?) {
            guard let recorded, let measured, !recorded.agrees(with: measured) else { return }
            differences.append(
                .init(
                    file: nil, tensor: tensor,
                    what: "the receipt says \(recorded.words), but measured \(measured.words)", kind: .receipt))
        }
        for record in manifest.tensors {
            compare(record.receipt, found.byTensor[ByteName(record.name)], tensor: record.name)
        }
        compare(manifest.receipt, found.overall, tensor: nil)
        return differences
    }
}

extension Receipt {
    fileprivate var words: String { "l2 \(l2), max \(max), cosine \(cosine), changed \(changed)" }
}
