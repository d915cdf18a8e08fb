extension InputStatistics {
    /// What errors at these inputs cost: `factor` times the mean of x x', with `damping` times the mean of its diagonal added to
    /// its diagonal.
    ///
    /// Data say little of directions that they hardly ever take; what damping adds is what an error there counts all the same. Without
    /// a Gram matrix, or if the damped one is not positive definite in F32, errors at different inputs do not meet.
    /// - Returns: nil if all inputs were 0, or were not finite.
    package func metric(damping: Double, factor: Double = 1) -> ErrorMetric? {
        let squares = meanSquares.map { $0 * factor }
        let mean = squares.reduce(0, +) / Double(max(columns, 1))
        guard mean > 0, mean.isFinite else { return nil }
        let diagonal = squares.map { $0 + damping * mean }
        guard hasGram else { return ErrorMetric(diagonal: diagonal) }
        var matrix = DenseMatrix(rows: columns, columns: columns)
        for row in 0..<columns {
            for column in 0..<row {
                matrix.values[row * columns + column] = Float(factor * (moment(row, column) ?? 0))
            }
            matrix.values[row * columns + row] = Float(diagonal[row])
        }
        return ErrorMetric(full: matrix) ?? ErrorMetric(diagonal: diagonal)
    }
}
