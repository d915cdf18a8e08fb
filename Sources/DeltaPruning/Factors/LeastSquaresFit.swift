/// The factor that fits what any mask kept to the delta, in the outputs of its layer.
///
/// With Y = D X and P = (masked) X, the best scale of P is a = <P, Y> / <P, P>, and q = 1 / a. With a Gram matrix these
/// are the outputs' own products; without, inputs count as uncorrelated.
package struct LeastSquaresFit: Sendable {
    private let forms: OutputForms

    /// The fit of `masked` to `delta`, both `rows` x K, row-major.
    ///
    /// - Parameter masked: 0 where an element was dropped, and what is stored, not yet divided, where it was kept.
    package init(delta: Span<Float>, masked: Span<Float>, rows: Int, statistics: InputStatistics) {
        forms = statistics.forms(masked, delta, rows: rows)
    }

    /// The factor for the layer, or `fallback` where no positive one fits.
    package func factor(fallback: Double = 1) -> Double {
        LeastSquaresFit.factor(forms.mixed.reduce(0, +), forms.first.reduce(0, +), fallback)
    }

    /// The factor for each row, or `fallback` where no positive one fits.
    package func rowFactors(fallback: Double = 1) -> [Double] {
        forms.first.indices.map { LeastSquaresFit.factor(forms.mixed[$0], forms.first[$0], fallback) }
    }

    /// The squared error of the layer's outputs over their own square, at factor q.
    ///
    /// - Returns: 0 if there is neither output nor error, infinity if there is error only.
    package func relativeError(factor: Double) -> Double {
        relativeError(factors: [Double](repeating: factor, count: forms.first.count))
    }

    /// The same with a factor for each row.
    package func relativeError(factors: [Double]) -> Double {
        var (error, energy) = (0.0, 0.0)
        for row in forms.first.indices {
            let scale = 1 / factors[row]
            error += forms.second[row] - 2 * scale * forms.mixed[row] + scale * scale * forms.first[row]
            energy += forms.second[row]
        }
        guard energy > 0 else { return error > 0 ? .infinity : 0 }
        return max(error, 0) / energy
    }

    private static func factor(_ mixed: Double, _ own: Double, _ fallback: Double) -> Double {
        guard own > 0, mixed > 0, mixed.isFinite, own.isFinite else { return fallback }
        let factor = own / mixed
        return factor.isNormal ? factor : fallback
    }
}
