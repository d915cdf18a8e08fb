internal import COpenBLAS

/// What errors along one side of a delta cost: x M x' for a row x of errors, with M symmetric and positive definite.
///
/// Held is the lower Cholesky factor L of M = L L'. From the last position to the first, errors cost
/// (x_j + sum over i > j of x_i L_ij / L_jj)^2 L_jj^2: what later positions did wrong, earlier ones can make up for.
package struct ErrorMetric: Sendable {
    enum Form: Sendable {
        case identity
        /// L_jj; all else is 0.
        case diagonal([Float])
        /// L, with zeros above the diagonal.
        case full(DenseMatrix)
    }

    /// Positions.
    package let size: Int
    let form: Form
    /// Root of the mean square of L_jj, the size of a unit error whose neighbours make up for it: steps are in its units.
    let scale: Float
    /// (L_jj / scale)^2: what an error costs, of mean 1.
    let weights: [Float]

    /// Every position counts alike.
    package init(identity size: Int) {
        self.size = size
        form = .identity
        scale = 1
        weights = [Float](repeating: 1, count: size)
    }

    /// Every position counts `weight`.
    package init(size: Int, weight: Double) {
        let root = Float(weight.squareRoot())
        precondition(root > 0 && root.isFinite)
        self.size = size
        form = .diagonal([Float](repeating: root, count: size))
        scale = root
        weights = [Float](repeating: 1, count: size)
    }

    /// Errors at different positions do not meet.
    ///
    /// - Parameter diagonal: M_jj, above 0.
    /// - Returns: nil if one is not, or is beyond F32.
    package init?(diagonal: [Double]) {
        let roots = diagonal.map { Float($0.squareRoot()) }
        guard roots.allSatisfy({ $0 > 0 && $0.isFinite }) else { return nil }
        self.init(size: roots.count, form: .diagonal(roots), diagonal: roots)
    }

    /// M as a whole.
    ///
    /// - Parameter matrix: size x size; only the lower triangle is read.
    /// - Returns: nil if it is not positive definite, in F32.
    init?(full matrix: DenseMatrix) {
        precondition(matrix.rows == matrix.columns)
        guard let factor = matrix.cholesky else { return nil }
        let roots = (0..<factor.rows).map { factor.values[$0 * factor.columns + $0] }
        guard roots.allSatisfy({ $0 > 0 && $0.isFinite }) else { return nil }
        self.init(size: factor.rows, form: .full(factor), diagonal: roots)
    }

    private init?(size: Int, form: Form, diagonal: [Float]) {
        let mean = diagonal.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(max(size, 1))
        let scale = size == 0 ? 1 : Float(mean.squareRoot())
        guard scale > 0, scale.isFinite else { return nil }
        self.size = size
        self.form = form
        self.scale = scale
        weights = diagonal.map { max(($0 / scale) * ($0 / scale), .leastNormalMagnitude) }
    }

    /// Bytes that a metric takes.
    package static func bytes(size: Int, isFull: Bool) -> Int { isFull ? 4 * size * size + 8 * size : 8 * size }

    /// X L, for rows of errors X; the squared length of a row is its cost.
    func whitened(_ rows: DenseMatrix) -> DenseMatrix { times(rows, CblasNoTrans) }

    /// X M.
    func applied(_ rows: DenseMatrix) -> DenseMatrix { times(times(rows, CblasNoTrans), CblasTrans) }

    /// X M X'.
    func gram(_ rows: DenseMatrix) -> DenseMatrix { whitened(rows).gram }

    /// X L^-1: the rows whose whitened form X is.
    func unwhitened(_ rows: DenseMatrix) -> DenseMatrix {
        switch form {
        case .identity: return rows
        case .diagonal(let roots):
            var result = rows
            for row in 0..<rows.rows {
                for (column, index) in rows.range(row).enumerated() { result.values[index] /= roots[column] }
            }
            return result
        case .full(let factor): return rows.solving(factor)
        }
    }

    private func times(_ rows: DenseMatrix, _ transposition: CBLAS_TRANSPOSE) -> DenseMatrix {
        precondition(rows.columns == size)
        switch form {
        case .identity: return rows
        case .diagonal(let roots):
            var result = rows
            for row in 0..<rows.rows {
                for (column, index) in rows.range(row).enumerated() { result.values[index] *= roots[column] }
            }
            return result
        case .full(let factor): return rows.timesTriangle(factor, transposition)
        }
    }

    /// L' X, for a matrix with as many rows as there are positions.
    func whitenedRows(_ matrix: DenseMatrix) -> DenseMatrix {
        precondition(matrix.rows == size)
        switch form {
        case .identity: return matrix
        case .diagonal(let roots): return matrix.scaled(roots)
        case .full(let factor): return matrix.underTriangle(factor)
        }
    }
}
