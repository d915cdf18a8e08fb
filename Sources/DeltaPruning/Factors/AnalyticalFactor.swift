internal import TensorTypes

/// DAREx-q's factor for a layer from mean inputs and a bound of the error: what is tuned is eta, the bound's exponent.
package struct AnalyticalFactor: Sendable, Hashable {
    /// How the bound is minimised.
    package enum Version: Sendable, Hashable {
        /// In binary64, where the bound's derivative is 0; the median of the rows.
        case sound
        /// What the authors' code computes, rounding to F16 and early stop included; the mean of the rows.
        case published
    }

    /// p, 0 or more and below 1.
    package var drop: Double
    /// The exponent of the Chernoff bound, above 0.
    package var eta: Double
    /// The probability with which the bound holds; it moves only the published version.
    package var probability = 0.95
    /// The share of rows that must have stopped improving to end the published scan.
    package var stopShare = 0.8
    /// How the bound is minimised.
    package var version = Version.sound

    /// A computation with the published probability and share.
    package init(drop: Double, eta: Double, version: Version = .sound) {
        self.drop = drop
        self.eta = eta
        self.version = version
    }

    /// The factor of a layer.
    ///
    /// In the sound version the median of the rows that are not all zero: rows whose sum all but cancels are driven to 1,
    /// however little they matter, and would pull a mean along. 1 - p if there are no rows.
    ///
    /// - Parameter delta: D, rows x K, row-major.
    /// - Parameter means: of the K inputs, signed.
    /// - Parameter bias: the delta of the layer's bias, as of one more input that is 1.
    package func factor(delta: Span<Float>, rows: Int, means: [Double], bias: [Float]? = nil) -> Double {
        let factors = rowFactors(delta: delta, rows: rows, means: means, bias: bias)
        switch version {
        case .published:
            guard !factors.isEmpty else { return 1 - drop }
            return factors.reduce(0, +) / Double(factors.count)
        case .sound:
            let sorted = factors.filter { !$0.isNaN }.sorted()
            guard !sorted.isEmpty else { return 1 - drop }
            return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
        }
    }

    /// The factor of each row; NaN for rows of zeros in the sound version, for which any does.
    package func rowFactors(delta: Span<Float>, rows: Int, means: [Double], bias: [Float]? = nil) -> [Double] {
        precondition(delta.count == rows * means.count && (bias.map { $0.count == rows } ?? true))
        switch version {
        case .sound: return soundFactors(delta, rows, means, bias)
        case .published: return publishedFactors(delta, rows, means, bias)
        }
    }

    /// Minimises eta (1 - (1-p)/q) |S| + eta^2 Phi Q / (4 q^2), a parabola in 1/q, over q from 1 - p to 1.
    ///
    /// |S|, since the error is bounded on both sides.
    private func soundFactors(_ delta: Span<Float>, _ rows: Int, _ means: [Double], _ bias: [Float]?) -> [Double] {
        let (keep, phi, columns) = (1 - drop, DroppingTheory.phi(drop), means.count)
        return (0..<rows).map { row in
            var (sum, squares) = (0.0, 0.0)
            if let bias { (sum, squares) = (Double(bias[row]), Double(bias[row]) * Double(bias[row])) }
            for column in 0..<columns {
                let value = Double(delta[row * columns + column]) * means[column]
                sum += value
                squares += value * value
            }
            guard squares > 0 else { return .nan }
            let least = eta * phi * squares / (2 * keep * sum.magnitude)
            // 0 / 0 where nothing is dropped, or all.
            return least.isNaN ? 1 : min(max(least, keep), 1)
        }
    }

    /// The order of operations of `analytical_resolve_new` (vengdeng/DAREx, utils/analyticalq.py, 0873fc2) on tensors in
    /// F16: every result is rounded to F16; sums, and what meets a Python number, are computed in F32 before that; and
    /// division by a number multiplies by its reciprocal, as on a GPU.
    ///
    /// Only the order within sums is ours: a GPU's is its own. Squares of contributions below 2^-12.5 vanish in F16, and
    /// the residual stands near ln 40, where steps of F16 are 2^-9: the scan ends when rounding makes enough rows stand
    /// still, which is what keeps q small. Among equals the last q stays. Where the code would divide by 0, for p above
    /// .999, the scan begins with its first step.
    private func publishedFactors(
        _ delta: Span<Float>, _ rows: Int, _ means: [Double], _ bias: [Float]?
    ) -> [Double] {
        let keep = 1 - drop
        let moments = halfMoments(delta, rows, means, bias)
        let weight = Float(eta * eta * DroppingTheory.phi(drop))
        let offset = Float(Elementary.log(2 / (1 - probability)))
        var factors = [Float](repeating: Float(keep), count: rows)
        var best = [Float](repeating: 10_000, count: rows)
        var hasStopped = [Bool](repeating: false, count: rows)
        var stopped = 0
        // A p that is no number, or is out of range, leaves 1 - p.
        guard rows > 0, keep >= 0, keep < 1 else { return factors.map { Double($0) } }
        for step in min(max(Int(keep * 1_000), 1), 999)..<999 {
            let factor = Double(step) * 0.001
            let slope = Float(1 - keep / factor)
            let reciprocal = 1 / Float(4 * factor * factor)
            for row in 0..<rows {
                let first = HalfPrecision.rounded(slope * moments[row].sum)
                var second = HalfPrecision.rounded(weight * moments[row].squares)
                second = HalfPrecision.rounded(second * reciprocal)
                second = HalfPrecision.rounded(second + offset)
                let residual = HalfPrecision.rounded(HalfPrecision.rounded(Float(eta) * first) + second).magnitude
                if residual >= best[row], !hasStopped[row] {
                    hasStopped[row] = true
                    stopped += 1
                }
                if residual <= best[row] {
                    best[row] = residual
                    factors[row] = Float(factor)
                }
            }
            if Float(stopped) / Float(rows) >= Float(stopShare) { break }
        }
        return factors.map { Double($0) }
    }

    /// The sum of a row's contributions and that of their squares, as F16 has them.
    private func halfMoments(
        _ delta: Span<Float>, _ rows: Int, _ means: [Double], _ bias: [Float]?
    ) -> [(sum: Float, squares: Float)] {
        let (means, columns) = (means.map { Float($0) }, means.count)
        return (0..<rows).map { row in
            var (sum, squares) = (Float(0), Float(0))
            for column in 0..<columns {
                let value = HalfPrecision.rounded(delta[row * columns + column] * means[column])
                sum += value
                squares += HalfPrecision.rounded(value * value)
            }
            if let bias {
                let value = HalfPrecision.rounded(bias[row])
                sum += value
                squares += HalfPrecision.rounded(value * value)
            }
            return (HalfPrecision.rounded(sum), HalfPrecision.rounded(squares))
        }
    }
}
