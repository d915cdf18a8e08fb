internal import COpenBLAS

extension DenseMatrix {
    /// The solution X of `self` X = `right`; self is symmetric and positive definite.
    ///
    /// Nil if LAPACK finds it is not.
    func solve(_ right: DenseMatrix) -> DenseMatrix? {
        precondition(rows == columns && right.rows == rows)
        guard !right.values.isEmpty else { return right }
        BLASThreads.settle()
        var (factor, solution) = (values, right.values)
        var (size, status) = (Int32(rows), Int32(0))
        // By columns the lower triangle, by rows the upper one: self = U' U.
        unsafe spotrf_("L", &size, &factor, &size, &status, 1)
        guard status == 0 else { return nil }
        for side in [CblasTrans, CblasNoTrans] {
            unsafe cblas_strsm(
                CblasRowMajor, CblasLeft, CblasUpper, side, CblasNonUnit, size, Int32(right.columns), 1, factor, size,
                &solution, Int32(right.columns))
        }
        return DenseMatrix(rows: rows, columns: right.columns, values: solution)
    }

    /// The eigenvalues of a symmetric matrix, ascending, and the eigenvectors, one in each row.
    ///
    /// Only its upper triangle is read.
    func eigenvectors() throws(DecompositionError) -> (values: [Float], vectors: DenseMatrix) {
        precondition(rows == columns)
        guard rows > 0 else { return ([], self) }
        BLASThreads.settle()
        var vectors = self
        var (size, status) = (Int32(rows), Int32(0))
        var eigenvalues = [Float](repeating: 0, count: rows)
        var (length, indices) = (Int32(1 + 6 * rows + 2 * rows * rows), Int32(3 + 5 * rows))
        var work = [Float](repeating: 0, count: Int(length))
        var integers = [Int32](repeating: 0, count: Int(indices))
        // By columns the lower triangle, by rows the upper one; eigenvectors are columns, here rows.
        unsafe ssyevd_(
            "V", "L", &size, &vectors.values, &size, &eigenvalues, &work, &length, &integers, &indices, &status, 1, 1)
        guard status == 0 else { throw .didNotConverge(Int(status)) }
        return (eigenvalues, vectors)
    }

    /// Orthonormal rows that span what the rows span; there are at most as many rows as columns.
    func orthonormalRows() throws(DecompositionError) -> DenseMatrix {
        precondition(rows <= columns)
        guard !values.isEmpty else { return self }
        BLASThreads.settle()
        var result = self
        // By columns this is the transpose: `columns` x `rows`, of which QR makes the columns orthonormal.
        var (long, short, status) = (Int32(columns), Int32(rows), Int32(0))
        var scalars = [Float](repeating: 0, count: rows)
        var query = [Float](repeating: 0, count: 1)
        var asked: Int32 = -1
        unsafe sgeqrf_(&long, &short, &result.values, &long, &scalars, &query, &asked, &status)
        var size = try DenseMatrix.workspace(query[0], atLeast: rows)
        unsafe sorgqr_(&long, &short, &short, &result.values, &long, &scalars, &query, &asked, &status)
        size = max(size, try DenseMatrix.workspace(query[0], atLeast: rows))
        var work = [Float](repeating: 0, count: Int(size))
        unsafe sgeqrf_(&long, &short, &result.values, &long, &scalars, &work, &size, &status)
        guard status == 0 else { throw .didNotConverge(Int(status)) }
        unsafe sorgqr_(&long, &short, &short, &result.values, &long, &scalars, &work, &size, &status)
        guard status == 0 else { throw .didNotConverge(Int(status)) }
        return result
    }

    /// The thin singular value decomposition of `values` (`rows` x `columns`, row-major), by divide and conquer.
    ///
    /// With m = min(rows, columns): left is m x rows, right is m x columns, both with a direction in each row. Needs
    /// memory for a copy, for both factors (left twice), and LAPACK's workspace: about 4 m^2 + 7 m elements and more
    /// for its blocks.
    static func singular(
        _ values: Span<Float>, rows: Int, columns: Int
    ) throws(DecompositionError) -> (left: DenseMatrix, sigma: [Float], right: DenseMatrix) {
        precondition(values.count == rows * columns)
        let least = min(rows, columns)
        guard least > 0 else {
            return (DenseMatrix(rows: 0, columns: rows), [], DenseMatrix(rows: 0, columns: columns))
        }
        guard var height = Int32(exactly: columns), var width = Int32(exactly: rows), var thin = Int32(exactly: least)
        else { throw .tooLarge }
        BLASThreads.settle()
        // By columns this is the transpose, `columns` x `rows`; so U of LAPACK is the right factor, one direction in
        // each of its columns, and V' is the left one's transpose.
        var copy = values.indices.map { values[$0] }
        var sigma = [Float](repeating: 0, count: least)
        var right = DenseMatrix(rows: least, columns: columns)
        var left = DenseMatrix(rows: rows, columns: least)
        var pivots = [Int32](repeating: 0, count: 8 * least)
        var query = [Float](repeating: 0, count: 1)
        var (size, status) = (Int32(-1), Int32(0))
        unsafe sgesdd_(
            "S", &height, &width, &copy, &height, &sigma, &right.values, &height, &left.values, &thin, &query, &size,
            &pivots, &status, 1)
        guard status == 0 else { throw .didNotConverge(Int(status)) }
        size = try workspace(query[0], atLeast: least)
        var work = [Float](repeating: 0, count: Int(size))
        unsafe sgesdd_(
            "S", &height, &width, &copy, &height, &sigma, &right.values, &height, &left.values, &thin, &work, &size,
            &pivots, &status, 1)
        guard status == 0 else { throw .didNotConverge(Int(status)) }
        return (left.transposed, sigma, right)
    }

    /// The length of a workspace; LAPACK answers in F32, which is off by a step where it is large.
    private static func workspace(_ answer: Float, atLeast least: Int) throws(DecompositionError) -> Int32 {
        guard let size = Int32(exactly: max(answer, Float(least)).nextUp.rounded(.up)) else { throw .tooLarge }
        return size
    }
}
