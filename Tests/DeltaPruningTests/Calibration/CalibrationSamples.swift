import DeltaPruning

/// Inputs of a layer, and what their statistics should say.
struct CalibrationSamples {
    let columns: Int
    let rows: Int
    let inputs: [Float]

    /// Correlated inputs whose means are not 0.
    init(rows: Int, columns: Int, rank: Int = 4, noise: Float = 0.3, seed: UInt64 = 21) {
        self.rows = rows
        self.columns = columns
        let shared = Samples.delta(rows: rows, columns: columns, rank: rank, noise: noise, seed: seed)
        inputs = shared.enumerated().map { $1 + 0.2 * Float($0 % columns % 5) }
    }

    /// Statistics that got the inputs in batches.
    func statistics(batch: Int = 1_000, gramLimit: Int = 1_000) -> InputStatistics {
        var statistics = InputStatistics(columns: columns, gramLimit: gramLimit)
        for first in stride(from: 0, to: rows, by: batch) {
            add(first..<min(first + batch, rows), to: &statistics)
        }
        return statistics
    }

    func add(_ range: Range<Int>, to statistics: inout InputStatistics) {
        unsafe inputs.withUnsafeBufferPointer { inputs in
            guard let start = inputs.baseAddress else { return }
            unsafe statistics.add(start + range.lowerBound * columns, rows: range.count, columns: columns)
        }
    }

    /// The mean of x_j x_k.
    func moment(_ row: Int, _ column: Int) -> Double {
        var sum = 0.0
        for vector in 0..<rows {
            sum += Double(inputs[vector * columns + row]) * Double(inputs[vector * columns + column])
        }
        return sum / Double(rows)
    }

    /// The mean of x_j.
    func mean(_ column: Int) -> Double {
        (0..<rows).reduce(0.0) { $0 + Double(inputs[$1 * columns + column]) } / Double(rows)
    }

    /// Row i of a matrix times input vector v, for all v and i: by vectors.
    func outputs(_ matrix: [Float]) -> [Double] {
        let height = matrix.count / columns
        return (0..<rows).flatMap { vector in
            (0..<height).map { row in
                var sum = 0.0
                for column in 0..<columns {
                    sum += Double(matrix[row * columns + column]) * Double(inputs[vector * columns + column])
                }
                return sum
            }
        }
    }
}

/// Whether two numbers are as good as equal.
func isClose(_ one: Double, _ other: Double, _ tolerance: Double = 1e-5) -> Bool {
    (one - other).magnitude <= tolerance * max(one.magnitude, other.magnitude)
}
