internal import COpenBLAS

/// A low-rank delta as a function of its components' rescale factors: D(i, j) = sum over k of left(k, i) right(k, j) / q_k.
///
/// With a gradient G of a loss with respect to D, the slope of that loss with respect to q_k is
/// -<left_k, G right_k> / q_k^2, so that nothing of the size of D is stored for each component.
package struct ComponentProduct: Sendable {
    /// r x R: a component in each row.
    private let left: DenseMatrix
    /// r x K.
    private let right: DenseMatrix

    /// r.
    package var rank: Int { left.rows }

    /// - Parameters:
    ///   - left: r x R, row-major.
    ///   - right: r x K, row-major, with all scales in it.
    package init(rank: Int, left: [Float], rows: Int, right: [Float], columns: Int) {
        self.left = DenseMatrix(rows: rank, columns: rows, values: left)
        self.right = DenseMatrix(rows: rank, columns: columns, values: right)
    }

    /// Adds D to `target` (R x K, row-major).
    ///
    /// - Parameter factors: r rescale factors, none 0.
    package func add(dividedBy factors: [Double], to target: UnsafeMutablePointer<Float>) {
        precondition(factors.count == rank)
        let scaled = right.scaled(factors.map { Float(1 / $0) })
        guard rank > 0, left.columns > 0, right.columns > 0 else { return }
        BLASThreads.settle()
        unsafe cblas_sgemm(
            CblasRowMajor, CblasTrans, CblasNoTrans, Int32(left.columns), Int32(right.columns), Int32(rank), 1,
            left.values, Int32(left.columns), scaled.values, Int32(right.columns), 1, target, Int32(right.columns))
    }

    /// <left_k, G right_k> for every component k, where `gradient` is G (R x K, row-major).
    package func dots(_ gradient: UnsafePointer<Float>) -> [Double] {
        let values = unsafe Span(_unsafeStart: gradient, count: left.columns * right.columns)
        let projected = left.times(values, rows: left.columns, columns: right.columns)
        return (0..<rank).map { Double(projected.dot($0, right)) }
    }
}
