/// Codes a delta as a sum of r products of integer vectors: the singular directions that are worth their bits, quantised
/// so that every stored integer costs the same squared error per bit.
///
/// With a step c for sigma_k v_k and a step c / sigma_k for u_k, every element of either factor adds about c^2 / 12 to
/// the squared error of D, whatever its component or matrix (reverse water-filling). So one c for all matrices of a model
/// is the best allocation of bits to them, to their components and to the two sides; at this c a bit removes
/// about (ln 2 / 6) c^2 of squared error, and whatever does not pay that price is left out.
///
/// Callers find the c of a target by bisection; the decomposition is computed once. Defaults are those of the least
/// squared error at 0.03, 0.1 and 0.3 bits per element on four real pairs.
///
/// With a `Curvature` all this happens in the space where D is whitened: squared error is what the curvature says that errors
/// cost, and each factor is rounded so that errors of neighbours make up for each other.
package struct TransformCoder: Sendable, Hashable {
    /// c: the step of the right factor, in the units of D; above 0.
    package var quality: Float
    /// Components enter with sigma_k >= floor c sqrt(min(R, K)): about the noise that their quantisation adds.
    ///
    /// Below 0.7 it only costs time: `toll` decides later, and exactly.
    package var floor: Float = 0.6
    /// A component stays if it removes `toll` (ln 2 / 6) c^2 of squared error or more for each of its bits.
    package var toll: Double = 1
    /// Which share of the rate-optimal dead zone rounding has; 0 rounds to nearest, below 0 outwards.
    ///
    /// Squared error is least between 0.5 and 1, and flat there. A network may prefer less: shrinkage harms it more than
    /// noise of the same size does.
    package var deadZone: Double = 0.7
    /// How often the right factor is fitted again, against the quantised left one, and the left against that.
    package var sweeps = 1

    package init(quality: Float) {
        precondition(quality > 0 && quality.isFinite)
        self.quality = quality
    }

    /// Squared error, in units of c^2, that a bit is worth: ln 2 / 6, the slope of c^2 / 12 where c halves with each bit.
    static let price = 0.115_524_530_093_324_2
    /// Singular values in units of c that are told apart: codes stay far below 2^24, where F32 stops to count.
    static let finest: Float = 1_048_576

    /// The smallest singular value that `code` can use: decompositions must reach it.
    package func leastSigma(rows: Int, columns: Int) -> Float {
        floor * quality * Float(min(rows, columns)).squareRoot()
    }

    /// The stored form of D (R x K, row-major) at this quality; of rank 0 if nothing of D is worth its bits.
    ///
    /// - Parameters:
    ///   - decomposition: that of D, whitened if there is a curvature, down to `leastSigma`.
    ///   - curvature: what errors cost; nil: their squares.
    package func code(
        _ values: Span<Float>, _ decomposition: Decomposition, _ curvature: Curvature? = nil
    ) -> TransformCode {
        code(values, RightDirections(decomposition), curvature)
    }

    /// The stored form of D (R x K, row-major) at this quality; of rank 0 if nothing of D is worth its bits.
    ///
    /// - Parameters:
    ///   - start: of D, whitened if there is a curvature, down to `leastSigma`.
    ///   - curvature: what errors cost; nil: their squares.
    package func code(
        _ values: Span<Float>, _ start: RightDirections, _ curvature: Curvature? = nil
    ) -> TransformCode {
        values.withBands(rows: start.rows, columns: start.columns) { code($0, start, curvature) }
    }

    /// The stored form of a matrix that is read, two times for each sweep and once more.
    package func code<Failure>(
        _ bands: RowBands<Failure>, _ start: RightDirections, _ curvature: Curvature? = nil
    ) throws(Failure) -> TransformCode {
        precondition(bands.rows == start.rows && bands.columns == start.columns)
        let nothing = TransformCode(rows: start.rows, columns: start.columns)
        let curvature = curvature ?? Curvature(identity: start.rows, start.columns)
        guard var fit = TransformFit(self, start, curvature) else { return nothing }
        for _ in 0..<max(sweeps, 0) {
            try fit.fitLeft(bands)
            fit.dropUnworthy()
            guard fit.rank > 0 else { return nothing }
            try fit.fitRight(bands)
        }
        try fit.fitLeft(bands)
        fit.dropUnworthy()
        fit.fitScales()
        return fit.finished()
    }

    /// The stored form of D, with the decomposition that it takes.
    package func code(
        _ values: Span<Float>, rows: Int, columns: Int, _ curvature: Curvature? = nil
    ) throws(DecompositionError) -> TransformCode {
        let least = leastSigma(rows: rows, columns: columns)
        guard let curvature else {
            return code(values, try Decomposition(values, rows: rows, columns: columns, reaching: least))
        }
        let whitened = curvature.whitened(values)
        let decomposition = try Decomposition(whitened.span, rows: rows, columns: columns, reaching: least)
        return code(values, decomposition, curvature)
    }
}
