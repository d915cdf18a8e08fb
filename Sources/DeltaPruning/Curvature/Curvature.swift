/// What errors E of a delta D (R x K) cost a model's answers: tr(S E G E'), S over the rows and G over the columns of E.
///
/// For a linear layer, G is the mean of x x' over its inputs and S that of g g' over gradients of the answers' log-probability at
/// its outputs (Kronecker-factored curvature: Martens, Grosse 2015). Half the cost is about the divergence of the answers.
package struct Curvature: Sendable {
    /// S: R positions.
    package let rows: ErrorMetric
    /// G: K positions.
    package let columns: ErrorMetric

    package init(rows: ErrorMetric, columns: ErrorMetric) {
        self.rows = rows
        self.columns = columns
    }

    /// Every error of an R x K matrix costs its square.
    package init(identity rows: Int, _ columns: Int) {
        self.init(rows: ErrorMetric(identity: rows), columns: ErrorMetric(identity: columns))
    }

    /// Every error costs `weight` times its square.
    package init(rows: Int, columns: Int, weight: Double) {
        self.init(rows: ErrorMetric(size: rows, weight: weight), columns: ErrorMetric(identity: columns))
    }

    /// L_S' D L_G, whose sum of squares is what leaving D out costs.
    ///
    /// - Parameter values: R x K, row-major.
    package func whitened(_ values: Span<Float>) -> [Float] {
        precondition(values.count == rows.size * columns.size)
        let matrix = DenseMatrix(rows: rows.size, columns: columns.size, values: values.indices.map { values[$0] })
        return columns.whitened(rows.whitenedRows(matrix)).values
    }

    /// What leaving D out costs: tr(S D G D').
    package func cost(_ values: Span<Float>) -> Double {
        whitened(values).reduce(0.0) { $0 + Double($1) * Double($1) }
    }
}
