internal import SiltPacking
internal import SiltReading
internal import DeltaKernels
internal import Safetensors
internal import SiltFormat
internal import TensorTypes

extension AdapterEncoder {
    /// A tensor that the adapter has whole.
    func saved(
        _ tensor: MergedTensor, _ saved: SavedTensor, _ replaced: Checkpoint.Tensor?, _ worker: AdapterWorker
    ) throws(SiltError) -> Outcome {
        var outcome = try whole(tensor, saved, replaced, worker) { (_, _) throws(SiltError) in }
        // In another dtype it is stored beside the result (`StoredTensors`).
        if saved.entry.info.dtype == tensor.info.dtype {
            outcome.adapterTensors = [.init(name: saved.entry.name, source: .result(of: tensor.name))]
        }
        return outcome
    }

    /// An update over a tensor that the adapter has whole.
    ///
    /// What comes out is stored as it is; the factors and the tensor below are stored beside the result (`StoredTensors`).
    func founded(
        _ tensor: MergedTensor, _ saved: SavedTensor, _ update: LowRankUpdate, _ replaced: Checkpoint.Tensor,
        _ worker: AdapterWorker
    ) throws(SiltError) -> Outcome {
        var chunks = ComponentChunks()
        let product = try product(update, tensor.name, &chunks)
        let rebuilt = RebuiltTensor(
            tensor.name, tensor.info, known: tensor.info.elements, [.lowRank(product)], chunks)
        return try whole(tensor, saved, replaced, worker) { (cell, count) throws(SiltError) in
            try unsafe rebuilt.rebuild(
                cell, base: worker.rebuilt.start, into: worker.rebuilt.start, count: count, worker.predictor)
        }
    }

    /// A tensor of the adapter's values in the result's dtype, which `change` may change in `worker.rebuilt`; the base's is
    /// hashed for the base's root.
    private func whole(
        _ tensor: MergedTensor, _ saved: SavedTensor, _ replaced: Checkpoint.Tensor?, _ worker: AdapterWorker,
        _ change: (_ cell: Int, _ count: Int) throws(SiltError) -> Void
    ) throws(SiltError) -> Outcome {
        let info = tensor.info
        let (from, grid) = (saved.entry.info.dtype, info.grid)
        var chunks = ComponentChunks()
        var digests: [Digest128] = []
        var overflows = 0
        for cell in 0..<grid.count {
            let range = grid.range(cell)
            let bytes = range.count * info.dtype.elementBytes
            let start = saved.entry.range.lowerBound + range.lowerBound * from.elementBytes
            worker.result.reserve(range.count * from.elementBytes)
            try unsafe saved.file.read(
                start..<start + range.count * from.elementBytes,
                into: worker.result.prefix(range.count * from.elementBytes))
            worker.rebuilt.reserve(bytes)
            if from == info.dtype {
                unsafe worker.rebuilt.start.copyMemory(from: worker.result.start, byteCount: bytes)
            } else {
                unsafe FloatConversion.convert(
                    worker.result.start, from, to: worker.rebuilt.start, info.dtype, count: range.count)
            }
            try change(cell, range.count)
            unsafe overflows += FloatPatterns.notFinite(worker.rebuilt.start, info.dtype, count: range.count)
            unsafe overflows -= FloatPatterns.notFinite(worker.result.start, from, count: range.count)
            unsafe digests.append(Digest128(of: UnsafeRawBufferPointer(worker.rebuilt.prefix(bytes))))
            let isZero = unsafe ByteCoder.isTrivial(worker.rebuilt.start, nil, bytes: bytes)
            chunks.append(
                isZero
                    ? []
                    : unsafe worker.bytes.encode(
                        .zstd, level: 19, result: worker.rebuilt.start, base: nil, count: range.count,
                        width: info.dtype.elementBytes))
        }
        var part = PartRecord(kind: .whole, elements: 0..<info.elements, codec: .zstd)
        part.chunks = 0..<grid.count
        let record = TensorRecord(
            name: tensor.name, info: info, range: tensor.range, digest: Digest128(pieces: digests), base: nil,
            parts: info.elements == 0 ? [] : [part])
        var outcome = Outcome(
            record: record, chunks: chunks, baseTensor: nil, adapterTensors: [], overflows: max(0, overflows))
        if let replaced {
            var before: [Digest128] = []
            for cell in 0..<replaced.info.grid.count {
                let read = try unsafe worker.base.read(
                    replaced, replaced.info.grid.range(cell), as: replaced.info.dtype, hashing: true)
                if let digest = unsafe read.digest { before.append(digest) }
            }
            outcome.baseTensor = (replaced.name, replaced.info, Digest128(pieces: before))
        }
        return outcome
    }
}
