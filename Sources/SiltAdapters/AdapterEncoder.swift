internal import SiltPacking
internal import SiltReading
internal import DeltaCodecs
internal import DeltaKernels
internal import Safetensors
internal import SiltFormat
internal import TensorTypes

/// Buffers of one worker.
final class AdapterWorker {
    /// Elements of the adapter, of the base, and of the merged model.
    let result = ByteBuffer()
    let base = CellReader()
    let rebuilt = ByteBuffer()
    let predictor = Predictor.Workspace()
    let bytes = ByteCoder()
}

/// Codes a tensor of a merged model, and rebuilds it for its digest.
struct AdapterEncoder: Sendable {
    /// What came out of a tensor.
    struct Outcome: Sendable {
        /// The record; its chunks count from 0 until they are written.
        var record: TensorRecord
        var chunks: ComponentChunks
        /// The base tensor that it comes from, for the base's root.
        var baseTensor: (name: String, info: TensorInfo, digest: Digest128)?
        /// The adapter's tensors that it stands for.
        var adapterTensors: [AdapterRecord.Tensor]
        /// Values that are infinite or NaN, and are finite in what they were made of.
        var overflows = 0

        /// The same once the chunks are in the file.
        func written(to writer: ContainerWriter) throws(SiltError) -> Outcome {
            var outcome = self
            let offset = try chunks.write(to: writer)
            outcome.chunks = ComponentChunks()
            outcome.record.parts = record.parts.map { $0.moved(by: offset) }
            return outcome
        }
    }

    private let lossy: LossyOptions?

    init(_ lossy: LossyOptions?) { self.lossy = lossy }

    func encode(_ tensor: MergedTensor, _ worker: AdapterWorker) throws(SiltError) -> Outcome {
        switch tensor.source {
        case .base(let base): return try rebuilt(tensor, base, [], ComponentChunks(), [], worker)
        case .adapted(let base, let update):
            var chunks = ComponentChunks()
            let product = try product(update, tensor.name, &chunks)
            let names = [(update.left, AdapterRecord.Tensor.Factor.left), (update.right, .right)].map { factor, side in
                AdapterRecord.Tensor(
                    name: factor.name, source: .factor(side, of: tensor.name, transposed: factor.isTransposed))
            }
            return try rebuilt(tensor, base, [.lowRank(product)], chunks, names, worker)
        case .founded(let saved, let update, let replaced):
            return try founded(tensor, saved, update, replaced, worker)
        case .sparse(let base, let pair):
            var chunks = ComponentChunks()
            let matrix = try sparse(pair.update(shape: base.info.shape), tensor, &chunks)
            return try rebuilt(tensor, base, [.sparse(matrix)], chunks, [], worker)
        case .saved(let saved, let replaced):
            return try self.saved(tensor, saved, replaced, worker)
        }
    }

    /// An update as a component, with its factors' chunks.
    func product(
        _ update: LowRankUpdate, _ name: String, _ chunks: inout ComponentChunks
    ) throws(SiltError) -> LowRankRecord {
        let left = try factor(update.left, name + ":left", &chunks)
        let right = try factor(update.right, name + ":right", &chunks)
        return LowRankRecord(
            rank: update.rank, left: left, right: right,
            scale: update.scale == 1 ? nil : Double("\(update.scale)") ?? Double(update.scale))
    }

    /// A factor as a matrix, its values as the adapter has them unless they are to be dropped or quantised.
    private func factor(
        _ factor: AdapterFactor, _ identity: String, _ chunks: inout ComponentChunks
    ) throws(SiltError) -> MatrixRecord {
        let patterns = try factor.patterns()
        let count = factor.rank * factor.extent
        let floats = ByteBuffer(capacity: 4 * count)
        unsafe patterns.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            unsafe FloatConversion.convert(start, factor.info.dtype, to: floats.start, .f32, count: count)
        }
        var request = MatrixRequest(
            rows: factor.rank, columns: factor.extent, identity: Checksum64.of(Array(identity.utf8)),
            values: AdapterEncoder.values(factor.info.dtype))
        if let lossy {
            if lossy.threshold > 0 {
                request.masks = [
                    .init(over: .elements, source: .seeded(seed: UInt64(lossy.seed), threshold: lossy.threshold))
                ]
                request.q = lossy.q.map { .all($0) }
            }
            request.values = ValueType(rawValue: lossy.valueType.rawValue) ?? .f32
            request.scale = lossy.group > 0 ? .groups(lossy.group) : .rows
        }
        let start = unsafe UnsafePointer(floats.start.bindMemory(to: Float.self, capacity: count))
        return unsafe chunks.append(MatrixEncoder.encode(start, request))
    }

    private func sparse(
        _ update: SparseUpdate, _ tensor: MergedTensor, _ chunks: inout ComponentChunks
    ) -> MatrixRecord {
        let (rows, columns) = (update.shape[0], update.shape[1])
        var kept = Bitset(count: rows * columns)
        let values = ByteBuffer(capacity: 4 * max(1, update.positions.count))
        unsafe update.values.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            unsafe FloatConversion.convert(
                start, update.dtype, to: values.start, .f32, count: update.positions.count)
        }
        let dense = ByteBuffer(capacity: 4 * rows * columns)
        let start = unsafe dense.start.bindMemory(to: Float.self, capacity: rows * columns)
        unsafe start.update(repeating: 0, count: rows * columns)
        for (index, position) in update.positions.enumerated() {
            kept[position] = true
            unsafe start[position] = values.start.load(fromByteOffset: 4 * index, as: Float.self)
        }
        let request = MatrixRequest(
            rows: rows, columns: columns, identity: Checksum64.of(Array(tensor.name.utf8)),
            masks: [.init(over: .elements, source: .positions(kept))], values: AdapterEncoder.values(update.dtype))
        return unsafe chunks.append(MatrixEncoder.encode(UnsafePointer(start), request))
    }

    private static func values(_ dtype: DType) -> ValueType {
        switch dtype {
        case .f16: .f16
        case .bf16: .bf16
        default: .f32
        }
    }

    /// Hashes the base and the tensor that components make of it.
    private func rebuilt(
        _ tensor: MergedTensor, _ base: Checkpoint.Tensor, _ components: [ComponentRecord], _ chunks: ComponentChunks,
        _ names: [AdapterRecord.Tensor], _ worker: AdapterWorker
    ) throws(SiltError) -> Outcome {
        let info = tensor.info
        let part = PartRecord(kind: .copy, elements: 0..<info.elements, components: components)
        var record = TensorRecord(
            name: tensor.name, info: info, range: tensor.range, digest: nil, base: nil,
            parts: info.elements == 0 ? [] : [part])
        let rebuilt = RebuiltTensor(tensor.name, info, known: info.elements, components, chunks)
        var (before, after): ([Digest128], [Digest128]) = ([], [])
        var overflows = 0
        for cell in 0..<info.grid.count {
            let range = info.grid.range(cell)
            let read = try unsafe worker.base.read(base, range, as: info.dtype, hashing: true)
            if let digest = unsafe read.digest { before.append(digest) }
            guard !components.isEmpty else { continue }
            let bytes = range.count * info.dtype.elementBytes
            worker.rebuilt.reserve(bytes)
            try unsafe rebuilt.rebuild(
                cell, base: read.patterns, into: worker.rebuilt.start, count: range.count, worker.predictor)
            unsafe after.append(Digest128(of: UnsafeRawBufferPointer(worker.rebuilt.prefix(bytes))))
            unsafe overflows += FloatPatterns.notFinite(worker.rebuilt.start, info.dtype, count: range.count)
            unsafe overflows -= FloatPatterns.notFinite(read.patterns, info.dtype, count: range.count)
        }
        let digest = Digest128(pieces: before)
        record.digest = components.isEmpty ? digest : Digest128(pieces: after)
        if info.elements > 0 {
            record.base = BaseRecord(
                BaseTensorRecord(name: base.name, info: base.info, digest: digest), predicting: info)
        }
        return Outcome(
            record: record, chunks: chunks, baseTensor: (base.name, base.info, digest), adapterTensors: names,
            overflows: overflows)
    }
}
