/// The best approximation of a delta by a product of two thin factors, as LoRA has them: D is about left' right.
package struct LowRank: Sendable {
    /// r.
    package let rank: Int
    /// r x R, row-major: row k is sqrt(sigma_k) u_k.
    package let left: [Float]
    /// r x K, row-major: row k is sqrt(sigma_k) v_k.
    package let right: [Float]

    /// The leading `rank` directions of a decomposition, or all it has.
    ///
    /// Each side gets the root of the singular value, so that both quantise equally well.
    package init(_ decomposition: Decomposition, rank: Int) {
        self.rank = min(max(rank, 0), decomposition.rank)
        let roots = decomposition.sigma.prefix(self.rank).map { $0.squareRoot() }
        left = decomposition.leftRows.prefix(self.rank).scaled(roots).values
        right = decomposition.rightRows.prefix(self.rank).scaled(roots).values
    }

    /// The smallest rank that keeps a share of the sum of squares of D; all the decomposition has if that is not enough.
    ///
    /// - Parameter share: 0 to 1.
    package static func rank(keeping share: Double, of decomposition: Decomposition) -> Int {
        let wanted = share * decomposition.energy
        guard wanted > 0 else { return 0 }
        var kept = 0.0
        for (index, value) in decomposition.sigma.enumerated() {
            // Once the rest is zero, rounding may still be in the way of a share of 1.
            guard value > 0 else { return index }
            kept += Double(value) * Double(value)
            if kept >= wanted { return index + 1 }
        }
        return decomposition.rank
    }

    /// Ranks for several deltas such that any further direction, of any of them, would remove less squared error for its
    /// number of elements than those that were chosen; together they have at most `elements` elements in their factors.
    package static func ranks(of decompositions: [Decomposition], elements: Int) -> [Int] {
        var ranks = decompositions.map { _ in 0 }
        var gains: [(gain: Double, matrix: Int, cost: Int)] = []
        for (matrix, decomposition) in decompositions.enumerated() {
            let cost = decomposition.rows + decomposition.columns
            for value in decomposition.sigma where value > 0 {
                gains.append((Double(value) * Double(value) / Double(cost), matrix, cost))
            }
        }
        // Within a matrix gains descend, so that a prefix of its directions is chosen; ties: the earlier matrix.
        gains.sort { $0.gain != $1.gain ? $0.gain > $1.gain : $0.matrix < $1.matrix }
        var remaining = elements
        for candidate in gains {
            guard candidate.cost <= remaining else { break }
            remaining -= candidate.cost
            ranks[candidate.matrix] += 1
        }
        return ranks
    }
}
