/// The singular values of a delta D (R x K) and its right directions: what the transform coder starts from.
///
/// From the eigenvectors of the smaller Gram matrix, which takes a tenth of the time of a decomposition of D. Squares cost
/// half of the digits: singular values below a few thousandths of the largest are noise and left out, as no coder of deltas
/// reaches so far.
package struct RightDirections: Sendable {
    /// R.
    package let rows: Int
    /// K.
    package let columns: Int
    /// Singular values, descending, above 0.
    package let sigma: [Float]
    /// The sum of the squares of D.
    package let energy: Double

    /// A direction for each singular value, orthonormal rows of K.
    package var right: [Float] { directions.values }

    let directions: DenseMatrix

    /// Singular values below this share of the largest are left out.
    private static let least: Float = 5e-4

    /// All directions of `values`, R x K, row-major.
    ///
    /// Needs memory for 4 m^2 elements, m being the smaller extent, and no copy of D.
    package init(_ values: Span<Float>, rows: Int, columns: Int) throws(DecompositionError) {
        precondition(values.count == rows * columns)
        (self.rows, self.columns) = (rows, columns)
        let isTall = rows >= columns
        let gram = DenseMatrix.gram(of: values, rows: rows, columns: columns, ofColumns: isTall)
        let trace = (0..<gram.rows).reduce(0.0) { $0 + Double(gram.values[$1 * gram.rows + $1]) }
        guard trace.isFinite, trace <= Double(Float.greatestFiniteMagnitude) else { throw .notFinite }
        energy = trace
        let (eigenvalues, vectors) = try gram.eigenvectors()
        // LAPACK's are ascending.
        let descending = Array(eigenvalues.indices.reversed())
        let floor = (eigenvalues.last ?? 0) * RightDirections.least * RightDirections.least
        let kept = Array(descending.prefix { eigenvalues[$0] > max(floor, 0) })
        sigma = kept.map { eigenvalues[$0].squareRoot() }
        let sides = vectors.selecting(rowsInOrder: kept)
        directions =
            isTall ? sides : sides.times(values, rows: rows, columns: columns).scaled(sigma.map { 1 / $0 })
    }

    /// Those of a decomposition.
    package init(_ decomposition: Decomposition) {
        (rows, columns) = (decomposition.rows, decomposition.columns)
        (sigma, energy) = (decomposition.sigma, decomposition.energy)
        directions = decomposition.rightRows
    }
}
