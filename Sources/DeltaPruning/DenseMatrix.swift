internal import COpenBLAS

/// A matrix in F32, row-major; what BLAS works on.
///
/// Factors are held with a direction in each row, r x R and r x K: products with a delta are then `times` it or its
/// transpose, and orthonormal columns of the textbooks are rows here, which is how LAPACK, by columns, sees them.
struct DenseMatrix: Sendable {
    private(set) var rows: Int
    let columns: Int
    var values: [Float]

    init(rows: Int, columns: Int, values: [Float]) {
        precondition(values.count == rows * columns)
        self.rows = rows
        self.columns = columns
        self.values = values
    }

    init(rows: Int, columns: Int) {
        self.init(rows: rows, columns: columns, values: [Float](repeating: 0, count: rows * columns))
    }

    /// Elements of row `index` in `values`.
    func range(_ index: Int) -> Range<Int> { index * columns..<(index + 1) * columns }

    /// The first `count` rows.
    func prefix(_ count: Int) -> DenseMatrix {
        DenseMatrix(rows: count, columns: columns, values: Array(values.prefix(count * columns)))
    }

    /// The rows at `indices`, in that order.
    func selecting(rowsInOrder indices: [Int]) -> DenseMatrix {
        var chosen: [Float] = []
        chosen.reserveCapacity(indices.count * columns)
        for index in indices { chosen += values[range(index)] }
        return DenseMatrix(rows: indices.count, columns: columns, values: chosen)
    }

    /// Keeps the rows at `indices`, which are ascending, where they are.
    mutating func keepRows(_ indices: [Int]) {
        guard indices.count < rows else { return }
        for (row, index) in indices.enumerated() where index > row {
            for column in 0..<columns { values[row * columns + column] = values[index * columns + column] }
        }
        values.removeLast((rows - indices.count) * columns)
        rows = indices.count
    }

    /// Row k times `factors[k]`, for every k; without a copy where nobody else has this matrix.
    consuming func scaled(_ factors: [Float]) -> DenseMatrix {
        let (rows, columns) = (rows, columns)
        var scaled = self
        for row in 0..<rows {
            let factor = factors[row]
            for index in row * columns..<(row + 1) * columns { scaled.values[index] *= factor }
        }
        return scaled
    }

    /// The transpose.
    var transposed: DenseMatrix {
        var result = DenseMatrix(rows: columns, columns: rows)
        for row in 0..<rows {
            for column in 0..<columns { result.values[column * rows + row] = values[row * columns + column] }
        }
        return result
    }

    /// The inner product of row `index` with the same row of `other`.
    func dot(_ index: Int, _ other: DenseMatrix) -> Float {
        unsafe values.withUnsafeBufferPointer { mine in
            unsafe other.values.withUnsafeBufferPointer { theirs in
                guard let mine = mine.baseAddress, let theirs = theirs.baseAddress else { return 0 }
                let start = index * columns
                return unsafe cblas_sdot(Int32(columns), mine + start, 1, theirs + start, 1)
            }
        }
    }

    /// This matrix times `other` (`rows` x `columns`, row-major), or times its transpose.
    func times(_ other: Span<Float>, rows: Int, columns: Int, transposed: Bool = false) -> DenseMatrix {
        precondition(other.count == rows * columns && self.columns == (transposed ? columns : rows))
        let width = transposed ? rows : columns
        var result = DenseMatrix(rows: self.rows, columns: width)
        guard !result.values.isEmpty, self.columns > 0 else { return result }
        BLASThreads.settle()
        unsafe other.withUnsafeBufferPointer { other in
            unsafe cblas_sgemm(
                CblasRowMajor, CblasNoTrans, transposed ? CblasTrans : CblasNoTrans, Int32(self.rows), Int32(width),
                Int32(self.columns), 1, values, Int32(self.columns), other.baseAddress, Int32(columns), 0,
                &result.values, Int32(width))
        }
        return result
    }

    /// This matrix times its transpose: rows x rows, symmetric.
    var gram: DenseMatrix { times(values.span, rows: rows, columns: columns, transposed: true) }

    /// The products of all rows of `other` (`rows` x `columns`, row-major) with each other: symmetric.
    static func rowGram(of other: Span<Float>, rows: Int, columns: Int) -> DenseMatrix {
        precondition(other.count == rows * columns)
        var result = DenseMatrix(rows: rows, columns: rows)
        guard rows > 0, columns > 0 else { return result }
        BLASThreads.settle()
        unsafe other.withUnsafeBufferPointer { other in
            unsafe cblas_ssyrk(
                CblasRowMajor, CblasUpper, CblasNoTrans, Int32(rows), Int32(columns), 1, other.baseAddress,
                Int32(columns), 0, &result.values, Int32(rows))
        }
        return result
    }

    /// Rows `range` of the transpose of this matrix, times `other`, which has as many rows as this one.
    func transposedTimes(_ other: DenseMatrix, range: Range<Int>) -> DenseMatrix {
        precondition(other.rows == rows && range.upperBound <= columns)
        var result = DenseMatrix(rows: range.count, columns: other.columns)
        guard !result.values.isEmpty, rows > 0 else { return result }
        BLASThreads.settle()
        unsafe values.withUnsafeBufferPointer { mine in
            guard let start = mine.baseAddress else { return }
            unsafe cblas_sgemm(
                CblasRowMajor, CblasTrans, CblasNoTrans, Int32(range.count), Int32(other.columns), Int32(rows), 1,
                start + range.lowerBound, Int32(columns), other.values, Int32(other.columns), 0, &result.values,
                Int32(other.columns))
        }
        return result
    }
}
