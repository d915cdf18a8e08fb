internal import SiltPacking
internal import SiltReading
internal import DeltaCodecs
internal import DeltaKernels
internal import Safetensors
internal import SiltFormat
internal import TensorTypes
internal import Transformers

/// A tensor of a pair, in memory: base, delta, and what the fine-tuned one has beyond the base.
final class BenchTensor: DeltaSource, @unchecked Sendable {
    let name: String
    let info: TensorInfo
    let knownElements: Int
    /// The fine-tuned file that it is in, and where it begins there.
    let file: String
    let offset: Int
    /// Whether the fine-tuned tensor is the base's.
    let isStill: Bool
    /// The base's elements as patterns of the result's dtype.
    private let base: ByteBuffer
    /// The delta of these, as Float.
    private let difference: ByteBuffer
    private let rows: Int
    private let columns: Int
    /// Values of rows that the base does not have.
    private let gained: [Float]
    /// What a file says of the loss where the base's tensor stands for the fine-tuned one.
    let receiptOfBase: Receipt

    /// Reads a tensor that the base predicts.
    init(_ source: Packing.Tensor, _ buffers: DeltaBuffers) throws(SiltError) {
        let (known, tensor, dtype) = (source.known, source.known.tensor, source.known.info.dtype)
        name = known.name
        info = known.info
        file = tensor.source.path
        offset = tensor.source.header.dataStart + tensor.entry.range.lowerBound
        isStill = source.isStill
        knownElements = known.knownElements
        let delta = try known.delta(buffers)
        (rows, columns) = (delta.rows, delta.columns)
        difference = try delta.whole()
        let width = dtype.elementBytes
        base = ByteBuffer(capacity: known.knownElements * width)
        guard tensor.knownElements > 0 else {
            throw SiltError(
                .fault, "a tensor without a base is tried; this is a bug in silt, please report it", tensor: known.name)
        }
        for cell in tensor.grid.cells(touching: 0..<known.knownElements) {
            let range = tensor.grid.range(cell).clamped(to: 0..<known.knownElements)
            let patterns = try unsafe tensor.readBase(range, buffers.base)
            unsafe (base.start + range.lowerBound * width).copyMemory(from: patterns, byteCount: range.count * width)
        }
        let rest = known.knownElements..<known.info.elements
        if rest.isEmpty {
            gained = []
        } else {
            let bytes = try unsafe tensor.read(rest, into: buffers.result)
            gained = unsafe [Float](unsafeUninitializedCapacity: rest.count) { buffer, count in
                guard let target = buffer.baseAddress, let start = bytes.baseAddress else { return }
                unsafe FloatConversion.convert(start, dtype, to: target, .f32, count: rest.count)
                count = rest.count
            }
        }
        var sums = ReceiptSums()
        unsafe sums.addLoss(of: difference.start.assumingMemoryBound(to: Float.self), count: delta.count)
        receiptOfBase = sums.receipt
    }

    func delta(_ buffers: DeltaBuffers) throws(SiltError) -> TensorDelta { delta }

    /// Fine-tuned minus base; not to be changed.
    var delta: TensorDelta { TensorDelta(rows: rows, columns: columns, sharing: difference) }

    /// A copy of the delta's values.
    var deltaValues: [Float] {
        unsafe Array(
            UnsafeBufferPointer(start: difference.start.assumingMemoryBound(to: Float.self), count: rows * columns))
    }

    /// The values that a reader rebuilds from `components`; the base's without.
    func rebuild(
        _ components: [ComponentRecord], _ chunks: ComponentChunks, _ worker: BenchWorker
    ) throws(SiltError) -> FloatTensor {
        let dtype = info.dtype
        let width = dtype.elementBytes
        let rebuilt = RebuiltTensor(name, info, known: knownElements, components, chunks)
        return try unsafe FloatTensor(shape: info.shape) { (target) throws(SiltError) in
            for cell in info.grid.cells(touching: 0..<knownElements) {
                let range = info.grid.range(cell).clamped(to: 0..<knownElements)
                let patterns = unsafe UnsafeRawPointer(base.start + range.lowerBound * width)
                let output = unsafe target + range.lowerBound
                guard !components.isEmpty else {
                    unsafe FloatConversion.convert(patterns, dtype, to: output, .f32, count: range.count)
                    continue
                }
                worker.rebuilt.reserve(range.count * width)
                try unsafe rebuilt.rebuild(
                    cell, base: patterns, into: worker.rebuilt.start, count: range.count, worker.predictor)
                unsafe FloatConversion.convert(worker.rebuilt.start, dtype, to: output, .f32, count: range.count)
            }
            for index in gained.indices { unsafe target[knownElements + index] = gained[index] }
        }
    }
}

/// Buffers of a worker that rebuilds in memory.
final class BenchWorker {
    let rebuilt = ByteBuffer()
    let predictor = Predictor.Workspace()
    let matrix = MatrixWorkspace()
}
