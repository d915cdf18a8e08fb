internal import Workers
package import DeltaCodecs
internal import DeltaKernels
package import SiltFormat
package import TensorTypes

/// Adds the components of a part to the base (Formats/Silt.md, section 12.2).
package struct Predictor: Sendable {
    package let reader: MatrixReader
    private let factors = FactorStore()
    /// Tells the chunks of one source from those of another in the workers' caches: numbers begin at 0 in each.
    private let source = SourceIdentity()

    package init(_ source: any ChunkSource, level: KernelLevel = .best) {
        reader = MatrixReader(source: source, level: level)
    }

    /// Which matrix a decoder is for.
    struct MatrixKey: Equatable {
        fileprivate let source: SourceIdentity
        let chunk: Int

        static func == (a: MatrixKey, b: MatrixKey) -> Bool { a.source === b.source && a.chunk == b.chunk }
    }

    /// Buffers of one worker.
    package final class Workspace {
        package let sum = ByteBuffer()
        let term = ByteBuffer()
        package let chunk = ByteBuffer()
        package let prediction = ByteBuffer()
        package let matrix: MatrixWorkspace
        /// Decoders by their source and the first chunk of their matrix.
        var decoders = RecentlyUsed<MatrixKey, MatrixDecoder>(limit: 8)

        package init(level: KernelLevel = .best) {
            matrix = MatrixWorkspace(level: level)
        }
    }

    /// Predicts one cell of a part.
    ///
    /// - Parameters:
    ///   - cell: the cell, counted from the part's first.
    ///   - base: the elements of the base as the result's dtype.
    ///   - target: where as many predicted patterns go; may be `base`.
    /// - Throws: `SiltError` if a chunk or table breaks the format or cannot be read.
    package func predict(
        _ record: TensorRecord, _ part: PartRecord, cell: Int, base: UnsafeRawPointer,
        into target: UnsafeMutableRawPointer, count: Int, _ worker: Workspace
    ) throws(SiltError) {
        let (rows, columns) = record.matrixShape(of: part)
        let first = cell * (record.info.grid.cell / columns)
        let range = first..<first + count / columns
        // DARE's file has one sparse component: what it drops need not be summed.
        if part.components.count == 1, case .sparse(let matrix) = part.components[0], !matrix.coding.masks.isEmpty {
            let decoder = try self.decoder(matrix, rows, columns, record.name, worker)
            if let kept = unsafe try reader.kept(matrix, decoder, cell: cell, chunk: worker.chunk, worker.matrix) {
                unsafe Prediction.apply(
                    record.info.dtype, base: base, words: kept.words, values: kept.values, kept: kept.count,
                    count: count, into: target, level: reader.level)
            } else if unsafe target != base {
                unsafe target.copyMemory(from: base, byteCount: count * record.info.dtype.elementBytes)
            }
            return
        }
        worker.sum.reserve(4 * count)
        let sum = unsafe worker.sum.start.bindMemory(to: Float.self, capacity: count)
        for (index, component) in part.components.enumerated() {
            var target = unsafe sum
            if index > 0 {
                worker.term.reserve(4 * count)
                unsafe target = worker.term.start.bindMemory(to: Float.self, capacity: count)
            }
            switch component {
            case .sparse(let matrix):
                let decoder = try self.decoder(matrix, rows, columns, record.name, worker)
                try unsafe reader.decode(
                    matrix, decoder, cell: cell, into: target, chunk: worker.chunk, worker.matrix)
            case .lowRank(let product):
                let factors = try factors.factors(
                    product, rows: rows, columns: columns, tensor: record.name, reader)
                unsafe Prediction.lowRank(
                    left: factors.left.start.assumingMemoryBound(to: Float.self) + range.lowerBound, leftStride: rows,
                    right: factors.right.start.assumingMemoryBound(to: Float.self), columns: columns,
                    rank: product.rank, rows: range.count, scale: product.scale.map { Float($0) }, into: target,
                    level: reader.level)
            }
            if index > 0 { unsafe Prediction.add(sum, target, count: count) }
        }
        unsafe Prediction.apply(
            record.info.dtype, base: base, sum: sum, count: count, into: target, level: reader.level)
    }

    private func decoder(
        _ matrix: MatrixRecord, _ rows: Int, _ columns: Int, _ name: String, _ worker: Workspace
    ) throws(SiltError) -> MatrixDecoder {
        let key = MatrixKey(source: source, chunk: matrix.chunks.lowerBound)
        if let known = worker.decoders[key] { return known }
        let decoder = try reader.decoder(matrix, rows: rows, columns: columns, identity: name)
        worker.decoders.insert(decoder, for: key)
        return decoder
    }
}

/// Is equal to itself only; keys hold it, so that no other one takes its place meanwhile.
private final class SourceIdentity: Sendable {}
