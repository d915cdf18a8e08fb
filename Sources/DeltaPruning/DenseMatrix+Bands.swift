internal import COpenBLAS

/// Products with matrices that are read a band of rows at a time.
extension DenseMatrix {
    /// The products of all columns of D with each other: symmetric, K x K; only the upper triangle is written.
    static func columnGram<Failure>(of bands: RowBands<Failure>) throws(Failure) -> DenseMatrix {
        let size = bands.columns
        var result = DenseMatrix(rows: size, columns: size)
        BLASThreads.settle()
        try unsafe bands.forEach { range, values in
            unsafe cblas_ssyrk(
                CblasRowMajor, CblasUpper, CblasTrans, Int32(size), Int32(range.count), 1, values, Int32(size),
                range.lowerBound == 0 ? 0 : 1, &result.values, Int32(size))
        }
        return result
    }

    /// This matrix times D.
    func times<Failure>(_ bands: RowBands<Failure>) throws(Failure) -> DenseMatrix {
        precondition(columns == bands.rows)
        var result = DenseMatrix(rows: rows, columns: bands.columns)
        guard !result.values.isEmpty, columns > 0 else { return result }
        BLASThreads.settle()
        try unsafe values.withUnsafeBufferPointer { (mine) throws(Failure) in
            guard let start = mine.baseAddress else { return }
            try unsafe bands.forEach { range, values in
                unsafe cblas_sgemm(
                    CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(rows), Int32(bands.columns), Int32(range.count), 1,
                    start + range.lowerBound, Int32(columns), values, Int32(bands.columns),
                    range.lowerBound == 0 ? 0 : 1, &result.values, Int32(bands.columns))
            }
        }
        return result
    }

    /// This matrix times the transpose of D.
    func timesTransposed<Failure>(_ bands: RowBands<Failure>) throws(Failure) -> DenseMatrix {
        precondition(columns == bands.columns)
        var result = DenseMatrix(rows: rows, columns: bands.rows)
        guard !result.values.isEmpty, columns > 0 else { return result }
        BLASThreads.settle()
        try unsafe result.values.withUnsafeMutableBufferPointer { (buffer) throws(Failure) in
            guard let start = buffer.baseAddress else { return }
            try unsafe bands.forEach { range, other in
                unsafe cblas_sgemm(
                    CblasRowMajor, CblasNoTrans, CblasTrans, Int32(rows), Int32(range.count), Int32(columns), 1, values,
                    Int32(columns), other, Int32(columns), 0, start + range.lowerBound, Int32(bands.rows))
            }
        }
        return result
    }
}
