internal import DeltaCodecs
package import SiltFormat
internal import Synchronization
package import TensorTypes

/// The decoded factors of low-rank components: every cell of a tensor needs them whole.
///
/// Workers share it. It keeps the last two products however large they are, and more only while all are small, so that a part
/// with several does not decode them again for every cell.
package final class FactorStore: Sendable {
    /// The factors of a product, dense, a direction in each row.
    package final class Factors: @unchecked Sendable {
        package let left: ByteBuffer
        package let right: ByteBuffer

        package var bytes: Int { left.capacity + right.capacity }

        package init(left: ByteBuffer, right: ByteBuffer) {
            self.left = left
            self.right = right
        }
    }

    /// Products that are kept at most, and bytes of those beyond the second.
    private static let limit = (products: ComponentRecord.limit, bytes: 64 << 20)

    /// The newest first.
    private let known = Mutex<[(key: Int, factors: Factors)]>([])

    package init() {}

    /// The factors of `product`, from the last ones used if they can be.
    ///
    /// Other workers that want the same factors wait for them here.
    package func factors(
        _ product: LowRankRecord, rows: Int, columns: Int, tensor: String, _ reader: MatrixReader
    ) throws(SiltError) -> Factors {
        let key = product.left.chunks.lowerBound
        let limit = FactorStore.limit
        let result = known.withLock { known -> Result<Factors, SiltError> in
            if let index = known.firstIndex(where: { $0.key == key }) {
                let entry = known.remove(at: index)
                known.insert(entry, at: 0)
                return .success(entry.factors)
            }
            do throws(SiltError) {
                let factors = Factors(
                    left: try FactorStore.dense(
                        product.left, rows: product.rank, columns: rows, identity: tensor + ":left", reader),
                    right: try FactorStore.dense(
                        product.right, rows: product.rank, columns: columns, identity: tensor + ":right", reader))
                known.insert((key, factors), at: 0)
                while known.count > 2,
                    known.count > limit.products || known.reduce(0, { $0 + $1.factors.bytes }) > limit.bytes
                {
                    known.removeLast()
                }
                return .success(factors)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// The whole matrix as Float, dense.
    package static func dense(
        _ record: MatrixRecord, rows: Int, columns: Int, identity: String, _ reader: MatrixReader
    ) throws(SiltError) -> ByteBuffer {
        let decoder = try reader.decoder(record, rows: rows, columns: columns, identity: identity)
        let dense = ByteBuffer(capacity: 4 * rows * columns)
        let start = unsafe dense.start.bindMemory(to: Float.self, capacity: rows * columns)
        let chunk = ByteBuffer()
        let workspace = MatrixWorkspace(level: reader.level)
        for cell in 0..<record.chunks.count {
            let target = unsafe start + decoder.grid.rows(of: cell).lowerBound * columns
            try unsafe reader.decode(record, decoder, cell: cell, into: target, chunk: chunk, workspace)
        }
        return dense
    }
}
