package import TensorTypes

/// Masks with a structure: n of m, whole columns, whole rows (structural pruning, table 9 of the DAREx paper).
///
/// Matrices have `columns` columns, row-major, finite. Counts are exact; among equals the lower index goes first.
package enum Structure {
    /// In each row, the `n` largest magnitudes of every `m` consecutive elements.
    ///
    /// The last group of a row may be shorter: of its g elements ceil(n g / m) stay. Zeros stay if they must, so that
    /// every group keeps as many.
    ///
    /// - Parameter m: at least 1.
    /// - Parameter n: 0 to `m`.
    /// - Returns: a set of elements.
    package static func largest(_ n: Int, ofEach m: Int, _ values: Span<Float>, columns: Int) -> Bitset {
        precondition(m >= 1 && 0...m ~= n)
        var mask = Bitset(count: values.count)
        for row in stride(from: 0, to: columns > 0 ? values.count : 0, by: max(columns, 1)) {
            for start in stride(from: row, to: row + columns, by: m) {
                let end = min(start + m, row + columns)
                for _ in 0..<(n * (end - start) + m - 1) / m {
                    var best = -1
                    for index in start..<end where !mask[index] {
                        if best < 0 || magnitudeBits(values[index]) > magnitudeBits(values[best]) { best = index }
                    }
                    mask[best] = true
                }
            }
        }
        return mask
    }

    /// The rows of the largest Euclidean norm, as many as `Magnitude.quota` says.
    ///
    /// - Returns: a set of rows.
    package static func rows(share: Double, _ values: Span<Float>, columns: Int) -> Bitset {
        let count = columns > 0 ? values.count / columns : 0
        var squares = [Double](repeating: 0, count: count)
        for row in 0..<count {
            for index in row * columns..<(row + 1) * columns {
                squares[row] += Double(values[index]) * Double(values[index])
            }
        }
        return largest(Magnitude.quota(share, of: count), of: squares)
    }

    /// The columns of the largest Euclidean norm, as many as `Magnitude.quota` says.
    ///
    /// - Returns: a set of columns.
    package static func columns(share: Double, _ values: Span<Float>, columns: Int) -> Bitset {
        var squares = [Double](repeating: 0, count: columns)
        for row in stride(from: 0, to: columns > 0 ? values.count : 0, by: max(columns, 1)) {
            for column in 0..<columns {
                squares[column] += Double(values[row + column]) * Double(values[row + column])
            }
        }
        return largest(Magnitude.quota(share, of: columns), of: squares)
    }

    /// The rows that are not all zero: those of an embedding whose tokens were trained on.
    ///
    /// - Returns: a set of rows.
    package static func nonzeroRows(_ values: Span<Float>, columns: Int) -> Bitset {
        let count = columns > 0 ? values.count / columns : 0
        var mask = Bitset(count: count)
        for row in 0..<count {
            for index in row * columns..<(row + 1) * columns where values[index] != 0 {
                mask[row] = true
                break
            }
        }
        return mask
    }

    private static func largest(_ count: Int, of scores: [Double]) -> Bitset {
        var mask = Bitset(count: scores.count)
        let order = scores.indices.sorted { scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1 }
        for index in order.prefix(count) { mask[index] = true }
        return mask
    }
}
