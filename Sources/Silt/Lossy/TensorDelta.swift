internal import DeltaKernels
internal import Safetensors
internal import SiltFormat
internal import TensorTypes

/// The delta of a tensor, fine-tuned minus base, as Float: the elements that the base has.
///
/// A matrix in the sense of Formats/Silt.md section 12.1.
final class TensorDelta {
    let rows: Int
    let columns: Int
    let buffer: ByteBuffer

    /// rows x columns values, row after row.
    var values: UnsafeMutablePointer<Float> { unsafe buffer.start.assumingMemoryBound(to: Float.self) }
    var count: Int { rows * columns }

    /// Reads the delta of a tensor that a base tensor predicts.
    ///
    /// - Throws: `changedWhileReading` if the tensor is not what the first pass read; what reading throws.
    init(_ tensor: TensorTask, _ worker: PackWorker) throws(SiltError) {
        let known = tensor.segments[0].elements
        columns = tensor.info.matrixColumns
        rows = known.count / columns
        buffer = ByteBuffer(capacity: 4 * known.count)
        let start = unsafe buffer.start.bindMemory(to: Float.self, capacity: known.count)
        let dtype = tensor.info.dtype
        guard let base = tensor.base else { return }
        let converted = ByteBuffer()
        for cell in tensor.grid.cells(touching: known) {
            let range = tensor.grid.range(cell)
            let piece = range.clamped(to: known)
            let bytes = try unsafe tensor.read(range, into: worker.result)
            guard unsafe tensor.digests[cell] == Digest128(of: bytes), let source = bytes.baseAddress else {
                throw SiltError(
                    .changed, "the data changed between the first reading and the second", file: tensor.source.path,
                    tensor: tensor.entry.name, advice: "pack again when nothing writes to the file")
            }
            let patterns = try unsafe worker.base.read(base.tensor, piece, as: dtype, hashing: false).patterns
            let before = unsafe LossyEncoder.floats(patterns, dtype, piece.count, converted)
            let target = unsafe start + piece.lowerBound
            unsafe FloatConversion.convert(
                source, dtype, to: UnsafeMutableRawPointer(target), .f32, count: piece.count)
            for index in 0..<piece.count { unsafe target[index] -= before[index] }
        }
    }

    /// A delta that is in memory: `rows` x `columns` values in `buffer`, which it shares.
    init(rows: Int, columns: Int, sharing buffer: ByteBuffer) {
        (self.rows, self.columns, self.buffer) = (rows, columns, buffer)
    }

    /// A copy that may be changed.
    func copy() -> TensorDelta {
        let copy = ByteBuffer(capacity: 4 * count)
        unsafe copy.start.copyMemory(from: buffer.start, byteCount: 4 * count)
        return TensorDelta(rows: rows, columns: columns, sharing: copy)
    }

    /// Adds as many values as there are, or as many as both have.
    func add(_ terms: [Float]) {
        for index in 0..<min(count, terms.count) { unsafe values[index] += terms[index] }
    }

    /// Takes away what a low-rank component stands for, as a reader rebuilds it.
    func subtract(_ product: LowRankRecord, _ name: String, _ chunks: MemoryChunks) throws(SiltError) {
        let factors = try FactorStore().factors(
            product, rows: rows, columns: columns, tensor: name, MatrixReader(source: chunks, level: .best))
        let band = max(1, Grid.limit / columns)
        let part = ByteBuffer(capacity: 4 * band * columns)
        let terms = unsafe part.start.bindMemory(to: Float.self, capacity: band * columns)
        for first in stride(from: 0, to: rows, by: band) {
            let count = min(band, rows - first)
            unsafe Prediction.lowRank(
                left: factors.left.start.assumingMemoryBound(to: Float.self) + first, leftStride: rows,
                right: factors.right.start.assumingMemoryBound(to: Float.self), columns: columns, rank: product.rank,
                rows: count, scale: product.scale.map { Float($0) }, into: terms)
            let target = unsafe values + first * columns
            for index in 0..<count * columns { unsafe target[index] -= terms[index] }
        }
    }
}
