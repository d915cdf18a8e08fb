internal import SiltReading
internal import Workers
internal import DeltaCodecs
internal import DeltaKernels
internal import Safetensors
internal import SiltFormat
internal import Synchronization
internal import TensorTypes

/// Where an exported adapter's tensors come from: factors from the file's chunks, whole tensors rebuilt.
struct ExportSource: Sendable {
    let container: ContainerReader
    private let base: Checkpoint?
    private let context: WorkContext
    /// The result's tensors by name, with their places in the manifest.
    private let tensors: [ByteName: (ordinal: Int, record: TensorRecord)]

    init(_ container: ContainerReader, _ base: Checkpoint?, _ context: WorkContext) {
        self.container = container
        self.base = base
        self.context = context
        tensors = Dictionary(
            container.manifest.tensors.enumerated().map { (ByteName($0.element.name), ($0.offset, $0.element)) },
            uniquingKeysWith: { first, _ in first })
    }

    func record(_ name: String) throws(SiltError) -> TensorRecord {
        guard let found = tensors[ByteName(name)] else {
            throw SiltError(.manifest, "the result does not have this tensor", file: container.path, tensor: name)
        }
        return found.record
    }

    /// The one low-rank component of a tensor, if that is all there is to it.
    static func product(_ record: TensorRecord) -> LowRankRecord? {
        guard record.parts.count == 1, let part = record.parts.first, part.kind == .copy, part.components.count == 1,
            case .lowRank(let product) = part.components[0]
        else { return nil }
        return product
    }

    /// Whether the tensor can be rebuilt: without a base only if no part refers to it.
    func canRebuild(_ record: TensorRecord) -> Bool { base != nil || record.base == nil }

    /// The bytes of a factor in `dtype`, transposed if asked for, times `scale`.
    func factor(
        _ record: TensorRecord, _ side: AdapterRecord.Tensor.Factor, transposed: Bool, as dtype: DType,
        scale: Float = 1
    ) throws(SiltError) -> [UInt8] {
        let products = record.parts.flatMap { part in part.components.map { (part, $0) } }
        for (part, component) in products {
            guard case .lowRank(let product) = component else { continue }
            let (rows, columns) = record.matrixShape(of: part)
            let extent = side == .left ? rows : columns
            let dense = try FactorStore.dense(
                side == .left ? product.left : product.right, rows: product.rank, columns: extent,
                identity: "\(record.name):\(side.rawValue)", MatrixReader(source: container, level: .best))
            let count = product.rank * extent
            if scale != 1 {
                let values = unsafe dense.start.assumingMemoryBound(to: Float.self)
                for index in 0..<count { unsafe values[index] *= scale }
            }
            let bytes = count * dtype.elementBytes
            let converted = ByteBuffer(capacity: bytes)
            unsafe FloatConversion.convert(dense.start, .f32, to: converted.start, dtype, count: count)
            let stored = unsafe Array(converted.prefix(bytes))
            return transposed
                ? FloatPatterns.transposed(stored, rows: product.rank, columns: extent, width: dtype.elementBytes)
                : stored
        }
        throw SiltError(.manifest, "the tensor has no low-rank component", file: container.path, tensor: record.name)
    }

    /// The bytes of a rebuilt tensor, verified.
    func whole(_ record: TensorRecord) throws(SiltError) -> [UInt8] {
        guard let found = tensors[ByteName(record.name)] else { return [] }
        guard record.base != nil else { return try alone(record) }
        guard let checkpoint = base else {
            throw SiltError(
                .usage, "the adapter has this tensor whole, and the file stores it as a difference",
                file: container.path,
                tensor: record.name, advice: "give the base with \(option: .base)")
        }
        let bytes = Mutex([UInt8](repeating: 0, count: record.info.bytes))
        let rebuilder = Rebuilder(
            container, BaseBinding(checkpoint: checkpoint), context.pool, tensors: [found.ordinal])
        try unsafe rebuilder.run(
            rebuilder.plan(Rebuilder.refuse), "exporting", nil,
            sink: { (_, _, offset, _, piece) throws(SiltError) in
                let start = offset - record.range.lowerBound
                bytes.withLock { unsafe $0.replaceSubrange(start..<start + piece.count, with: piece) }
            }, verdict: Rebuilder.refuse)
        return bytes.withLock { $0 }
    }

    /// Hands the bytes of a tensor with chunks of its own to `sink`, piece by piece, and compares their digest.
    func stored(
        _ stored: AdapterRecord.Stored, _ name: String, _ sink: AdapterExport.Sink
    ) throws(SiltError) {
        let (zstd, chunk, output) = (Zstd(), ByteBuffer(), ByteBuffer())
        var digests: [Digest128] = []
        for (piece, index) in stored.chunks.enumerated() {
            try context.cancellation.check()
            let count = stored.range(piece).count
            let bytes = try unsafe container.read(index, into: chunk)
            if stored.codec == .zstd {
                output.reserve(count)
                do throws(ChunkError) {
                    try unsafe zstd.decompress(bytes, into: output.prefix(count))
                } catch {
                    throw container.fault(.chunk, chunk: index, error.reason).at(tensor: name)
                }
            }
            let values = unsafe stored.codec == .zstd ? Array(output.prefix(count)) : Array(bytes)
            guard values.count == count else {
                throw container.fault(.chunk, chunk: index, "it has \(values.count) bytes instead of \(count)")
                    .at(tensor: name)
            }
            digests.append(Digest128(of: values))
            try sink(values)
        }
        guard stored.digest == Digest128(pieces: digests) else {
            throw SiltError(
                .result, "the adapter's tensor does not match its digest", file: container.path, tensor: name)
        }
    }

    /// The bytes of a tensor whose parts are all `whole`.
    private func alone(_ record: TensorRecord) throws(SiltError) -> [UInt8] {
        let reader = PartReader(container)
        let worker = DecodeWorker()
        let (grid, width) = (record.info.grid, record.info.dtype.elementBytes)
        var bytes: [UInt8] = []
        var digests: [Digest128] = []
        for cell in 0..<grid.count {
            let range = grid.range(cell)
            worker.result.reserve(range.count * width)
            for part in record.parts {
                let piece = range.clamped(to: part.elements)
                guard !piece.isEmpty else { continue }
                let failure = try unsafe reader.read(
                    part, of: record, cell: cell - part.elements.lowerBound / grid.cell, base: nil,
                    into: worker.result.start + (piece.lowerBound - range.lowerBound) * width, count: piece.count,
                    worker)
                if let failure { throw failure.at(tensor: record.name) }
            }
            let piece = unsafe Array(worker.result.prefix(range.count * width))
            digests.append(Digest128(of: piece))
            bytes += piece
        }
        guard record.digest == nil || record.digest == Digest128(pieces: digests) else {
            throw SiltError(
                .result, "the rebuilt tensor does not match its digest", file: container.path, tensor: record.name)
        }
        return bytes
    }
}
