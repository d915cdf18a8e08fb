/// The leading singular directions of a delta D (R x K): what low-rank coders start from.
///
/// Computed once; coders of every quality can share it.
package struct Decomposition: Sendable {
    /// R.
    package let rows: Int
    /// K.
    package let columns: Int
    /// Singular values, descending, at least 0; as many as there are directions.
    package let sigma: [Float]
    /// Left directions, `rank` x R, orthonormal rows.
    package var left: [Float] { leftRows.values }
    /// Right directions, `rank` x K, orthonormal rows.
    package var right: [Float] { rightRows.values }
    /// The sum of the squares of D.
    package let energy: Double

    let leftRows: DenseMatrix
    let rightRows: DenseMatrix

    /// Directions that are here.
    package var rank: Int { sigma.count }
    /// Whether these are all directions of D.
    package var isComplete: Bool { rank == min(rows, columns) }

    /// The smaller extent up to which all directions are computed: that takes well under a second.
    package static let exactExtent = 1_024
    /// Directions in the projection beyond those asked for (Halko, Martinsson, Tropp 2011, section 4.2).
    private static let oversampling = 12
    /// Passes over D that sharpen the projection: two do where the spectrum decays slowly, as tails of deltas do.
    private static let iterations = 2

    /// The decomposition in full if min(R, K) is at most `exactExtent` or if `rank` asks for more than a third of it,
    /// else the leading `rank` directions.
    ///
    /// - Parameter values: R x K, row-major.
    /// - Parameter rank: how many directions are of use; nil if all may be.
    package init(
        _ values: Span<Float>, rows: Int, columns: Int, rank: Int? = nil
    ) throws(DecompositionError) {
        let least = min(rows, columns)
        if let rank, least > Decomposition.exactExtent, rank < least / 3 {
            try self.init(leading: rank, of: values, rows: rows, columns: columns)
        } else {
            try self.init(exact: values, rows: rows, columns: columns)
        }
    }

    /// All directions whose singular value is at least `sigma`, and perhaps more.
    ///
    /// A randomised decomposition is repeated with twice the rank until it reaches below `sigma`.
    package init(
        _ values: Span<Float>, rows: Int, columns: Int, reaching sigma: Float
    ) throws(DecompositionError) {
        var rank = 64
        while true {
            let attempt = try Decomposition(values, rows: rows, columns: columns, rank: rank)
            if attempt.isComplete || attempt.sigma.last.map({ $0 < sigma }) ?? true {
                self = attempt
                return
            }
            rank *= 2
        }
    }

    /// All min(R, K) directions, by LAPACK.
    ///
    /// Besides the result (min(R, K) (R + K) elements) this needs a copy of D, of the left factor and about
    /// 4 min(R, K)^2 elements.
    package init(exact values: Span<Float>, rows: Int, columns: Int) throws(DecompositionError) {
        energy = try Decomposition.energy(values)
        (leftRows, sigma, rightRows) = try DenseMatrix.singular(values, rows: rows, columns: columns)
        (self.rows, self.columns) = (rows, columns)
    }

    /// The leading `rank` directions, nearly, by a random projection (Halko, Martinsson, Tropp 2011, algorithms 4.4 and
    /// 5.1).
    ///
    /// Needs memory for about 4 (rank + 12) (R + K) elements, and no copy of D. Always the same for the same D.
    package init(
        leading rank: Int, of values: Span<Float>, rows: Int, columns: Int
    ) throws(DecompositionError) {
        self = try values.withBands(rows: rows, columns: columns) { (bands) throws(DecompositionError) in
            try Decomposition(leading: rank, of: bands)
        }
    }

    /// The leading `rank` directions of a matrix that is read, several times.
    package init(leading rank: Int, of bands: RowBands<DecompositionError>) throws(DecompositionError) {
        let (rows, columns) = (bands.rows, bands.columns)
        var sum = 0.0
        try unsafe bands.forEach { range, values in
            for index in 0..<range.count * columns { unsafe sum += Double(values[index]) * Double(values[index]) }
        }
        guard sum <= Double(Float.greatestFiniteMagnitude) else { throw .notFinite }
        energy = sum
        let width = min(rank + Decomposition.oversampling, rows, columns)
        func towardsRows(_ directions: DenseMatrix) throws(DecompositionError) -> DenseMatrix {
            try directions.timesTransposed(bands).orthonormalRows()
        }
        var range = try towardsRows(GaussianRows.make(rows: width, columns: columns, seed: 0x51_1754))
        for _ in 0..<Decomposition.iterations {
            range = try towardsRows(range.times(bands).orthonormalRows())
        }
        let small = try range.times(bands)
        let (left, sigma, right) = try DenseMatrix.singular(small.values.span, rows: width, columns: columns)
        let kept = min(rank, width)
        leftRows = left.prefix(kept).times(range.values.span, rows: width, columns: rows)
        rightRows = right.prefix(kept)
        self.sigma = Array(sigma.prefix(kept))
        (self.rows, self.columns) = (rows, columns)
    }

    /// The sum of squares, which must be finite; LAPACK would not end well otherwise.
    private static func energy(_ values: Span<Float>) throws(DecompositionError) -> Double {
        var sum = 0.0
        for index in values.indices { sum += Double(values[index]) * Double(values[index]) }
        guard sum <= Double(Float.greatestFiniteMagnitude) else { throw .notFinite }
        return sum
    }
}
