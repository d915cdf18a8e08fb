internal import COpenBLAS

/// Products with a lower triangle L, row-major, and where it comes from.
extension DenseMatrix {
    /// L of L L' = `self`, of which only the lower triangle is read; nil if it is not positive definite.
    var cholesky: DenseMatrix? {
        precondition(rows == columns)
        guard rows > 0 else { return self }
        BLASThreads.settle()
        var factor = self
        var (size, status) = (Int32(rows), Int32(0))
        // By columns the upper triangle, by rows the lower one.
        unsafe spotrf_("U", &size, &factor.values, &size, &status, 1)
        guard status == 0 else { return nil }
        for row in 0..<rows {
            for column in row + 1..<max(columns, row + 1) { factor.values[row * columns + column] = 0 }
        }
        return factor
    }

    /// `self` L, or `self` L'.
    func timesTriangle(_ triangle: DenseMatrix, _ transposition: CBLAS_TRANSPOSE) -> DenseMatrix {
        precondition(columns == triangle.rows)
        guard !values.isEmpty else { return self }
        BLASThreads.settle()
        var result = self
        unsafe cblas_strmm(
            CblasRowMajor, CblasRight, CblasLower, transposition, CblasNonUnit, Int32(rows), Int32(columns), 1,
            triangle.values, Int32(columns), &result.values, Int32(columns))
        return result
    }

    /// L' `self`.
    func underTriangle(_ triangle: DenseMatrix) -> DenseMatrix {
        precondition(rows == triangle.rows)
        guard !values.isEmpty else { return self }
        BLASThreads.settle()
        var result = self
        unsafe cblas_strmm(
            CblasRowMajor, CblasLeft, CblasLower, CblasTrans, CblasNonUnit, Int32(rows), Int32(columns), 1,
            triangle.values, Int32(rows), &result.values, Int32(columns))
        return result
    }

    /// `self` L^-1.
    func solving(_ triangle: DenseMatrix) -> DenseMatrix {
        precondition(columns == triangle.rows)
        guard !values.isEmpty else { return self }
        BLASThreads.settle()
        var result = self
        unsafe cblas_strsm(
            CblasRowMajor, CblasRight, CblasLower, CblasNoTrans, CblasNonUnit, Int32(rows), Int32(columns), 1,
            triangle.values, Int32(columns), &result.values, Int32(columns))
        return result
    }
}
