internal import CSiltKernels
package import TensorTypes

/// Logits, a row for each example or token, that are known to be finite.
///
/// It borrows the values: they must stay where they are while it is used.
@safe package struct LogitRows {
    package let rows: Int
    package let columns: Int
    let start: UnsafePointer<Float>
    let level: Int32

    /// Throws `usage` if a value is an infinity or a NaN: nothing can be measured then.
    package init(
        _ start: UnsafePointer<Float>, rows: Int, columns: Int, level: KernelLevel = .best
    ) throws(SiltError) {
        guard unsafe silt_all_finite(level.rawValue, start, rows * columns) != 0 else {
            throw SiltError(
                .usage, "the model produces values that are infinite or NaN",
                advice: "its weights may have such values, or be too large")
        }
        (self.rows, self.columns, self.level) = (rows, columns, level.rawValue)
        unsafe self.start = start
    }

    /// The values of a buffer, in rows of `columns`.
    package init(_ buffer: FloatBuffer, columns: Int, level: KernelLevel = .best) throws(SiltError) {
        try unsafe self.init(
            buffer.start, rows: columns == 0 ? 0 : buffer.count / columns, columns: columns, level: level)
    }

    /// Where row `index` begins.
    func row(_ index: Int) -> UnsafePointer<Float> { unsafe start + index * columns }

    /// The column of the largest value of each row; of several, the first.
    package var predictions: [Int] { (0..<rows).map(prediction) }

    /// The column of the largest value of row `index`.
    func prediction(_ index: Int) -> Int {
        let row = unsafe row(index)
        var best = 0
        for column in 1..<max(columns, 1) where unsafe row[column] > row[best] { best = column }
        return best
    }

    /// -log of the probability that row `index` gives to `column`.
    func loss(_ index: Int, _ column: Int) -> Double {
        let row = unsafe row(index)
        return unsafe silt_log_sum(level, row, columns) - Double(row[column])
    }

    private func probability(_ index: Int, _ column: Int) -> Double {
        silt_power(2.718_281_828_459_045, -loss(index, column))
    }

    /// How much likelier this one's answer was than the candidate's, by this one's own probabilities: the sum over rows, and the
    /// sum of squares; 0 where both answer alike.
    package func regret(_ candidate: LogitRows) -> (sum: Double, squares: Double) {
        precondition(rows == candidate.rows && columns == candidate.columns)
        var (sum, squares) = (0.0, 0.0)
        for index in 0..<rows {
            let (mine, other) = (prediction(index), candidate.prediction(index))
            guard mine != other else { continue }
            let difference = probability(index, mine) - probability(index, other)
            sum += difference
            squares += difference * difference
        }
        return (sum, squares)
    }

    /// The Kullback-Leibler divergence of the candidate's distribution from this one's, in nats, over rows.
    package func divergence(_ candidate: LogitRows) -> Mean {
        precondition(rows == candidate.rows && columns == candidate.columns)
        var sum = 0.0
        for index in 0..<rows { unsafe sum += silt_divergence(level, row(index), candidate.row(index), columns) }
        return Mean(sum: sum, count: rows)
    }

    /// The squared difference to the candidate, over all values.
    package func squaredDifference(_ candidate: LogitRows) -> Mean {
        precondition(rows == candidate.rows && columns == candidate.columns)
        let sum = unsafe silt_squared_difference(level, start, candidate.start, rows * columns)
        return Mean(sum: sum, count: rows * columns)
    }

    /// |difference| to the candidate, over all values: for hidden states.
    package func absoluteDifference(_ candidate: LogitRows) -> Mean {
        precondition(rows == candidate.rows && columns == candidate.columns)
        let sum = unsafe silt_absolute_difference(level, start, candidate.start, rows * columns)
        return Mean(sum: sum, count: rows * columns)
    }

    /// The squared difference to the candidate where this one's `count` largest values of each row are, over those values.
    package func squaredDifference(_ candidate: LogitRows, atLargest count: Int = 5) -> Mean {
        precondition(rows == candidate.rows && columns == candidate.columns)
        var sum = 0.0
        var largest: [Int] = []
        for index in 0..<rows {
            let mine = unsafe row(index)
            let other = unsafe candidate.row(index)
            findLargest(count, in: index, to: &largest)
            for column in largest {
                let difference = unsafe Double(mine[column]) - Double(other[column])
                sum += difference * difference
            }
        }
        return Mean(sum: sum, count: rows * min(count, columns))
    }

    /// The columns of the `count` largest values of row `index`, or of all; of equal ones, the first.
    func findLargest(_ count: Int, in index: Int, to largest: inout [Int]) {
        let row = unsafe row(index)
        let count = min(count, columns)
        largest.removeAll(keepingCapacity: true)
        for column in 0..<columns {
            if largest.count == count, let last = largest.last, unsafe row[column] <= row[last] { continue }
            if largest.count == count { largest.removeLast() }
            let place = largest.firstIndex { unsafe row[$0] < row[column] } ?? largest.count
            largest.insert(column, at: place)
        }
    }
}
