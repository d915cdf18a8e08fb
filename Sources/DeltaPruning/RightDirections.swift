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
        guard rows < columns else {
            self = try values.withBands(rows: rows, columns: columns) { (bands) throws(DecompositionError) in
                try RightDirections(bands)
            }
            return
        }
        let found = try Sides(DenseMatrix.rowGram(of: values, rows: rows, columns: columns))
        let directions = found.vectors.times(values, rows: rows, columns: columns)
            .scaled(found.sigma.map { 1 / $0 })
        self.init(rows: rows, columns: columns, found, directions)
    }

    /// All directions of a matrix that is read; as a whole only if it has fewer rows than columns.
    package init(_ bands: RowBands<DecompositionError>) throws(DecompositionError) {
        let (rows, columns) = (bands.rows, bands.columns)
        guard rows >= columns else {
            let values = try bands.collected()
            self = try RightDirections(values.span, rows: rows, columns: columns)
            return
        }
        let found = try Sides(DenseMatrix.columnGram(of: bands))
        self.init(rows: rows, columns: columns, found, found.vectors)
    }

    private init(rows: Int, columns: Int, _ sides: Sides, _ directions: DenseMatrix) {
        (self.rows, self.columns, self.directions) = (rows, columns, directions)
        (sigma, energy) = (sides.sigma, sides.energy)
    }

    /// Singular values, and the directions on the side of the smaller extent.
    private struct Sides {
        let sigma: [Float]
        let energy: Double
        let vectors: DenseMatrix

        init(_ gram: DenseMatrix) throws(DecompositionError) {
            let trace = (0..<gram.rows).reduce(0.0) { $0 + Double(gram.values[$1 * gram.rows + $1]) }
            guard trace.isFinite, trace <= Double(Float.greatestFiniteMagnitude) else { throw .notFinite }
            energy = trace
            let (eigenvalues, vectors) = try gram.eigenvectors()
            // LAPACK's are ascending.
            let descending = Array(eigenvalues.indices.reversed())
            let floor = (eigenvalues.last ?? 0) * RightDirections.least * RightDirections.least
            let kept = Array(descending.prefix { eigenvalues[$0] > max(floor, 0) })
            sigma = kept.map { eigenvalues[$0].squareRoot() }
            self.vectors = vectors.selecting(rowsInOrder: kept)
        }
    }

    /// Those of a decomposition.
    package init(_ decomposition: Decomposition) {
        (rows, columns) = (decomposition.rows, decomposition.columns)
        (sigma, energy) = (decomposition.sigma, decomposition.energy)
        directions = decomposition.rightRows
    }
}
