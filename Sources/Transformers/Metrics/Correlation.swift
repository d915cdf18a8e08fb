/// How well predicted values follow the labels.
package enum Correlation {
    /// Pearson's coefficient; 0 where one of the two does not vary.
    ///
    /// - Precondition: as many values in `a` as in `b`.
    package static func pearson(_ a: [Double], _ b: [Double]) -> Double {
        precondition(a.count == b.count)
        let count = Double(a.count)
        let (meanA, meanB) = (a.reduce(0, +) / count, b.reduce(0, +) / count)
        var (both, squaresA, squaresB) = (0.0, 0.0, 0.0)
        for (x, y) in zip(a, b) {
            both += (x - meanA) * (y - meanB)
            squaresA += (x - meanA) * (x - meanA)
            squaresB += (y - meanB) * (y - meanB)
        }
        guard squaresA > 0, squaresB > 0 else { return 0 }
        return min(max(both / (squaresA.squareRoot() * squaresB.squareRoot()), -1), 1)
    }

    /// Spearman's coefficient: Pearson's of the ranks, equal values with the mean of theirs.
    package static func spearman(_ a: [Double], _ b: [Double]) -> Double { pearson(ranks(a), ranks(b)) }

    /// The rank of each value, from 1.
    static func ranks(_ values: [Double]) -> [Double] {
        let order = values.indices.sorted { values[$0] < values[$1] }
        var ranks = [Double](repeating: 0, count: values.count)
        var first = 0
        while first < order.count {
            var end = first + 1
            while end < order.count, values[order[end]] == values[order[first]] { end += 1 }
            for index in order[first..<end] { ranks[index] = Double(first + 1 + end) / 2 }
            first = end
        }
        return ranks
    }
}
