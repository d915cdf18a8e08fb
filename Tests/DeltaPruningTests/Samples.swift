import TestSupport

/// Matrices to prune.
enum Samples {
    /// Uniform values between -1 and 1.
    static func uniform(_ count: Int, seed: UInt64) -> [Float] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in Float(Int32(truncatingIfNeeded: generator.next())) / 2_147_483_648 }
    }

    /// Few distinct values, zeros of both signs among them: many are equal in magnitude.
    static func ties(_ count: Int, seed: UInt64) -> [Float] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in [0, -0.0, 0.5, -0.5, Float.leastNonzeroMagnitude, -2, 2][generator.below(7)] }
    }

    /// A sum of products of random vectors whose weights fall by `decay`, and a little noise: like a delta.
    static func delta(
        rows: Int, columns: Int, rank: Int, decay: Float = 0.7, noise: Float = 0.01, seed: UInt64 = 1
    ) -> [Float] {
        let left = uniform(rank * rows, seed: 3 * seed)
        let right = uniform(rank * columns, seed: 3 * seed + 1)
        var values = uniform(rows * columns, seed: 3 * seed + 2).map { $0 * noise }
        var weight: Float = 1
        for component in 0..<rank {
            for row in 0..<rows {
                let factor = weight * left[component * rows + row]
                for column in 0..<columns {
                    values[row * columns + column] += factor * right[component * columns + column]
                }
            }
            weight *= decay
        }
        return values
    }

    /// The sum of squares.
    static func energy(_ values: [Float]) -> Double { values.reduce(0) { $0 + Double($1) * Double($1) } }

    /// The sum of squared differences.
    static func distance(_ one: [Float], _ other: [Float]) -> Double {
        zip(one, other).reduce(0) { $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1)) }
    }

    /// The sum over k of the products of rows k: left' diag(scales) right.
    static func product(_ left: [Float], _ right: [Float], scales: [Float], rows: Int, columns: Int) -> [Float] {
        var values = [Float](repeating: 0, count: rows * columns)
        for component in scales.indices {
            for row in 0..<rows {
                let factor = left[component * rows + row] * scales[component]
                for column in 0..<columns {
                    values[row * columns + column] += factor * right[component * columns + column]
                }
            }
        }
        return values
    }
}
