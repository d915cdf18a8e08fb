package import SiltReading
internal import DeltaCodecs
internal import DeltaKernels
internal import DeltaPruning
internal import Safetensors
package import SiltFormat
package import TensorTypes

/// The delta of a tensor, fine-tuned minus base, as Float: the elements that the base has.
///
/// A matrix in the sense of Formats/Silt.md section 12.1. It is read a band of rows at a time, or as a whole where a method cannot do
/// with less.
package final class TensorDelta {
    package let rows: Int
    package let columns: Int
    package var count: Int { rows * columns }

    /// All values, once somebody has asked for them.
    private var all: ByteBuffer?
    private let source: (known: KnownTensor, buffers: DeltaBuffers)?

    /// The delta of a tensor that a base tensor predicts; `buffers` are used while it is read.
    package init(_ known: KnownTensor, _ buffers: DeltaBuffers) {
        columns = known.info.matrixColumns
        rows = known.knownElements / columns
        source = (known, buffers)
    }

    /// A delta that is in memory: `rows` x `columns` values in `buffer`, which it shares.
    package init(rows: Int, columns: Int, sharing buffer: ByteBuffer) {
        (self.rows, self.columns, all) = (rows, columns, buffer)
        source = nil
    }

    /// All values, row after row, in a buffer that the delta shares; from then on they are in memory.
    ///
    /// - Throws: as `band`.
    package func whole() throws(SiltError) -> ByteBuffer {
        if let all { return all }
        let buffer = ByteBuffer(capacity: 4 * count)
        try unsafe read(0..<rows, into: buffer.start.bindMemory(to: Float.self, capacity: count))
        all = buffer
        return buffer
    }

    /// All values, as `whole`.
    package func values() throws(SiltError) -> UnsafeMutablePointer<Float> {
        try unsafe whole().start.assumingMemoryBound(to: Float.self)
    }

    /// The values of some rows, until the next call.
    ///
    /// - Throws: `changed` if the tensor is not what the first pass read; what reading throws.
    func band(_ rows: Range<Int>) throws(SiltError) -> UnsafePointer<Float> {
        if let all {
            return unsafe UnsafePointer(all.start.assumingMemoryBound(to: Float.self) + rows.lowerBound * columns)
        }
        // Where nothing is in memory, there is somebody who reads.
        let band = source?.buffers.band ?? ByteBuffer()
        band.reserve(4 * rows.count * columns)
        let start = unsafe band.start.bindMemory(to: Float.self, capacity: rows.count * columns)
        try unsafe read(rows, into: start)
        return unsafe UnsafePointer(start)
    }

    /// The rows that are not all zero: those of an embedding whose tokens were trained on.
    ///
    /// - Throws: as `band`.
    func nonzeroRows() throws(SiltError) -> Bitset {
        var moved = Bitset(count: rows)
        let grid = MatrixGrid(rows: rows, columns: columns)
        for range in (0..<grid.cells).map(grid.rows(of:)) {
            let start = try unsafe band(range)
            let values = unsafe Span(_unsafeStart: start, count: range.count * columns)
            let found = Structure.nonzeroRows(values, columns: columns)
            for row in 0..<range.count where found[row] { moved[range.lowerBound + row] = true }
        }
        return moved
    }

    private func read(_ rows: Range<Int>, into start: UnsafeMutablePointer<Float>) throws(SiltError) {
        guard let (known, buffers) = source, let base = known.tensor.base else {
            throw SiltError.fault("a delta is read that is in no file")
        }
        let (tensor, dtype) = (known.tensor, known.info.dtype)
        let wanted = rows.lowerBound * columns..<rows.upperBound * columns
        // Whole cells, since those have digests; the rows of a band are those of a cell where nothing else is asked for.
        for cell in tensor.grid.cells(touching: wanted) {
            let range = tensor.grid.range(cell)
            let piece = range.clamped(to: wanted)
            let bytes = try unsafe tensor.read(range, into: buffers.result)
            guard unsafe known.digests[cell] == Digest128(of: bytes), let first = bytes.baseAddress else {
                throw tensor.changed
            }
            let patterns = try unsafe base.read(piece, as: dtype, buffers.base)
            let before = unsafe FloatConversion.floats(patterns, dtype, piece.count, buffers.baseFloats)
            let target = unsafe start + (piece.lowerBound - wanted.lowerBound)
            unsafe FloatConversion.convert(
                first + (piece.lowerBound - range.lowerBound) * dtype.elementBytes, dtype,
                to: UnsafeMutableRawPointer(target), .f32, count: piece.count)
            for index in 0..<piece.count { unsafe target[index] -= before[index] }
        }
    }

    /// A copy that may be changed.
    package func copy() throws(SiltError) -> TensorDelta {
        let copy = ByteBuffer(capacity: 4 * count)
        try unsafe copy.start.copyMemory(from: values(), byteCount: 4 * count)
        return TensorDelta(rows: rows, columns: columns, sharing: copy)
    }

    /// Adds as many values as there are, or as many as both have.
    package func add(_ terms: [Float]) throws(SiltError) {
        let values = try unsafe values()
        for index in 0..<min(count, terms.count) { unsafe values[index] += terms[index] }
    }

    /// Takes away what a low-rank component stands for, as a reader rebuilds it.
    package func subtract(_ product: LowRankRecord, _ name: String, _ chunks: MemoryChunks) throws(SiltError) {
        let factors = try FactorStore().factors(
            product, rows: rows, columns: columns, tensor: name, MatrixReader(source: chunks, level: .best))
        let step = max(1, Grid.limit / columns)
        let part = ByteBuffer(capacity: 4 * step * columns)
        let terms = unsafe part.start.bindMemory(to: Float.self, capacity: step * columns)
        let values = try unsafe values()
        for first in stride(from: 0, to: rows, by: step) {
            let count = min(step, rows - first)
            unsafe Prediction.lowRank(
                left: factors.left.start.assumingMemoryBound(to: Float.self) + first, leftStride: rows,
                right: factors.right.start.assumingMemoryBound(to: Float.self), columns: columns, rank: product.rank,
                rows: count, scale: product.scale.map { Float($0) }, into: terms)
            let target = unsafe values + first * columns
            for index in 0..<count * columns { unsafe target[index] -= terms[index] }
        }
    }
}
