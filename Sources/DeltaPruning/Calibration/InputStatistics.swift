/// What calibration data say of the inputs of one linear layer: mean, mean square, and the Gram matrix if there is room.
///
/// Batches are added as they come and are not kept. Bits depend on the batches and their order, and on nothing else.
package struct InputStatistics: Sendable {
    /// K, the inputs of the layer.
    package let columns: Int
    /// Input vectors that were added.
    package private(set) var count = 0
    private var sums: [Double]
    private var squares: [Double]
    private var gram: GramMatrix?

    /// The most inputs for which there is a Gram matrix, whatever the caller's limit: 4 GiB.
    package static let largestGram = 32_768

    /// The statistics of nothing.
    ///
    /// - Parameter gramLimit: there is a Gram matrix if the layer has at most so many inputs; 0 for none.
    package init(columns: Int, gramLimit: Int) {
        precondition(columns >= 0)
        self.columns = columns
        sums = [Double](repeating: 0, count: columns)
        squares = [Double](repeating: 0, count: columns)
        gram = InputStatistics.hasGram(columns, gramLimit) ? GramMatrix(columns: columns) : nil
    }

    /// Bytes that the statistics of a layer take, and their scratch while a batch is added.
    ///
    /// About 4 K^2 with a Gram matrix, 16 K without.
    package static func bytes(columns: Int, gramLimit: Int) -> Int {
        let (sums, isTooLarge) = columns.multipliedReportingOverflow(by: 16)
        guard !isTooLarge else { return .max }
        return hasGram(columns, gramLimit) ? sums + GramMatrix.bytes(columns: columns) : sums
    }

    private static func hasGram(_ columns: Int, _ limit: Int) -> Bool {
        columns > 0 && columns <= min(limit, largestGram)
    }

    /// Adds `rows` input vectors, row-major, one after the other.
    package mutating func add(_ input: UnsafePointer<Float>, rows: Int, columns: Int) {
        precondition(rows >= 0 && columns == self.columns)
        guard rows > 0, columns > 0 else {
            count += rows
            return
        }
        unsafe sums.withUnsafeMutableBufferPointer { sums in
            unsafe squares.withUnsafeMutableBufferPointer { squares in
                guard let sums = sums.baseAddress, let squares = squares.baseAddress else { return }
                for row in 0..<rows {
                    let start = unsafe input + row * columns
                    for column in 0..<columns {
                        let value = unsafe Double(start[column])
                        unsafe sums[column] += value
                        unsafe squares[column] += value * value
                    }
                }
            }
        }
        unsafe gram?.add(input, rows: rows)
        count += rows
    }

    /// Adds what other batches of the same layer gave.
    ///
    /// A Gram matrix stays only if both have one.
    package mutating func add(_ other: InputStatistics) {
        precondition(columns == other.columns)
        for column in 0..<columns {
            sums[column] += other.sums[column]
            squares[column] += other.squares[column]
        }
        if let theirs = other.gram { gram?.add(theirs) } else { gram = nil }
        count += other.count
    }

    /// Whether there is a Gram matrix.
    package var hasGram: Bool { gram != nil }

    /// Whether every input was finite, and its square too: if not, the calibration data are unusable.
    package var isFinite: Bool { sums.allSatisfy { $0.isFinite } && squares.allSatisfy { $0.isFinite } }

    /// The signed mean of each input; 0 if there is none.
    package var means: [Double] { sums.map { count > 0 ? $0 / Double(count) : 0 } }

    /// The mean square of each input: the diagonal of the Gram matrix over `count`.
    package var meanSquares: [Double] { squares.map { count > 0 ? $0 / Double(count) : 0 } }

    /// The root of the mean square of each input: WANDA's weights, but for a factor that is the same for all.
    package var norms: [Double] { meanSquares.map { $0.squareRoot() } }

    /// The mean of x_j x_k; nil without a Gram matrix.
    package func moment(_ row: Int, _ column: Int) -> Double? {
        guard let gram else { return nil }
        let sum = row == column ? squares[row] : gram[min(row, column), max(row, column)]
        return count > 0 ? sum / Double(count) : 0
    }

    /// The mean products of the outputs that the rows of one or two R x K matrices give.
    ///
    /// Without a Gram matrix, inputs count as uncorrelated and of mean 0.
    func forms(_ first: Span<Float>, _ second: Span<Float>, rows: Int) -> OutputForms {
        precondition(first.count == rows * columns && second.count == rows * columns)
        var forms = OutputForms(rows: rows)
        guard rows > 0, columns > 0, count > 0 else { return forms }
        if let gram {
            gram.addForms(first, second, rows: rows, diagonal: squares, to: &forms)
        } else {
            for row in 0..<rows {
                let start = row * columns
                var (own, mixed, other) = (0.0, 0.0, 0.0)
                for column in 0..<columns {
                    let (one, two) = (Double(first[start + column]), Double(second[start + column]))
                    let weight = squares[column]
                    own += one * one * weight
                    mixed += one * two * weight
                    other += two * two * weight
                }
                forms.first[row] = own
                forms.mixed[row] = mixed
                forms.second[row] = other
            }
        }
        forms.scale(1 / Double(count))
        return forms
    }

    /// As above, of one matrix.
    func forms(_ values: Span<Float>, rows: Int) -> [Double] {
        precondition(values.count == rows * columns)
        guard let gram, rows > 0, count > 0 else { return elementForms(values, rows: rows) }
        var forms = OutputForms(rows: rows)
        gram.addForms(values, rows: rows, diagonal: squares, to: &forms)
        return forms.first.map { $0 / Double(count) }
    }

    /// For each row of an R x K matrix, the sum of its squared elements, each times the mean square of its input.
    func elementForms(_ values: Span<Float>, rows: Int) -> [Double] {
        precondition(values.count == rows * columns)
        let weights = meanSquares
        return (0..<rows).map { row in
            var sum = 0.0
            for column in 0..<columns {
                let value = Double(values[row * columns + column])
                sum += value * value * weights[column]
            }
            return sum
        }
    }
}
