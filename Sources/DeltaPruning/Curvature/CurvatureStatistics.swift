internal import TensorTypes

/// What errors in a fine-tuned model's weights cost its answers: the Fisher information on calibration data, in Kronecker factors.
///
/// Half of tr(S E G E') is about the divergence, in nats for each answer, that errors E of a matrix bring about. Docs/Accuracy.md has
/// the formulas.
package struct CurvatureStatistics: Sendable {
    private let curvatures: [String: Curvature]
    private let weights: [String: Double]
    /// The mean squared gradient of the elements of all linear layers' weights: for matrices of which nothing is known.
    private let fallback: Double

    /// What was measured: of matrices and of vectors by their names, and for matrices of which nothing is known.
    package init(_ curvatures: [String: Curvature], weights: [String: Double], fallback: Double) {
        (self.curvatures, self.weights, self.fallback) = (curvatures, weights, fallback)
    }

    /// What errors of a matrix cost; where the data say nothing of it, each element as much as the mean of all layers'.
    package func curvature(of name: String, rows: Int, columns: Int) -> Curvature {
        if let known = curvatures[name], known.rows.size == rows, known.columns.size == columns { return known }
        return Curvature(rows: rows, columns: columns, weight: fallback)
    }

    /// What a squared error of a vector's element costs.
    package func weight(of name: String) -> Double {
        weights[name].map { max($0, fallback * 1e-6) } ?? fallback
    }
}
