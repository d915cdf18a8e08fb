import DeltaPruning
import TensorTypes
import Testing

@Suite("Singular values")
struct DecompositionTests {
    /// The largest deviation of the inner products of rows from those of orthonormal ones.
    private func skew(_ rows: [Float], _ count: Int) -> Double {
        let width = rows.count / max(count, 1)
        var worst = 0.0
        for one in 0..<count {
            for other in 0...one {
                var sum = 0.0
                for index in 0..<width {
                    sum += Double(rows[one * width + index]) * Double(rows[other * width + index])
                }
                worst = max(worst, abs(sum - (one == other ? 1 : 0)))
            }
        }
        return worst
    }

    @Test("give the matrix back", arguments: [(1, 1), (1, 9), (9, 1), (24, 40), (40, 24), (32, 32)])
    func exact(rows: Int, columns: Int) throws {
        let values = Samples.uniform(rows * columns, seed: UInt64(rows))
        let found = try Decomposition(values.span, rows: rows, columns: columns)
        #expect(found.isComplete && found.rank == min(rows, columns))
        #expect(zip(found.sigma, found.sigma.dropFirst()).allSatisfy { $0 >= $1 } && found.sigma.allSatisfy { $0 >= 0 })
        #expect(skew(found.left, found.rank) < 1e-5)
        #expect(skew(found.right, found.rank) < 1e-5)
        let product = Samples.product(found.left, found.right, scales: found.sigma, rows: rows, columns: columns)
        #expect(Samples.distance(values, product) < 1e-10 * Samples.energy(values))
        #expect(abs(found.energy - Samples.energy(values)) < 1e-9 * found.energy)
        #expect(abs(Samples.energy(found.sigma) - found.energy) < 1e-5 * found.energy)
    }

    @Test("found by projection are nearly those", arguments: [(128, 96), (60, 128)])
    func projected(rows: Int, columns: Int) throws {
        let values = Samples.delta(rows: rows, columns: columns, rank: 12)
        let exact = try Decomposition(exact: values.span, rows: rows, columns: columns)
        let found = try Decomposition(leading: 8, of: values.span, rows: rows, columns: columns)
        #expect(found.rank == 8 && !found.isComplete)
        #expect(skew(found.left, 8) < 1e-4)
        #expect(skew(found.right, 8) < 1e-4)
        for (one, other) in zip(found.sigma, exact.sigma) { #expect(abs(one - other) < 1e-3 * other) }
        let best = exact.energy - Samples.energy(Array(exact.sigma.prefix(8)))
        let product = Samples.product(found.left, found.right, scales: found.sigma, rows: rows, columns: columns)
        #expect(Samples.distance(values, product) < 1.001 * best)
        // The same again, to the bit.
        let again = try Decomposition(leading: 8, of: values.span, rows: rows, columns: columns)
        #expect(again.sigma == found.sigma && again.left == found.left && again.right == found.right)
    }

    @Test(
        "by the smaller Gram matrix are those of the decomposition",
        arguments: [(128, 96), (60, 128), (1, 7), (90, 90)])
    func gram(rows: Int, columns: Int) throws {
        let values = Samples.delta(rows: rows, columns: columns, rank: 12)
        let exact = try Decomposition(exact: values.span, rows: rows, columns: columns)
        let found = try RightDirections(values.span, rows: rows, columns: columns)
        #expect(found.sigma.count <= exact.rank && found.sigma.allSatisfy { $0 > 0 })
        #expect(abs(found.energy - exact.energy) < 1e-5 * exact.energy)
        for (one, other) in zip(found.sigma, exact.sigma) { #expect(abs(one - other) < 1e-3 * exact.sigma[0]) }
        let leading = min(12, found.sigma.count)
        #expect(skew(Array(found.right.prefix(leading * columns)), leading) < 1e-3)
        // A coder that starts from them does as well.
        let coder = TransformCoder(quality: exact.sigma[0] / 40)
        let (one, other) = (coder.code(values.span, exact), coder.code(values.span, found))
        let (error, wanted) = (other.squaredError(to: values.span), one.squaredError(to: values.span))
        #expect(error < 1.02 * wanted + 1e-6 * exact.energy)
        #expect(other.estimatedBits < 1.02 * one.estimatedBits + 100)
    }

    @Test("by Gram matrices are refused for what is not finite")
    func gramNotFinite() throws {
        for bad in [Float.nan, .infinity, 1e30] {
            var values = Samples.uniform(40, seed: 3)
            values[7] = bad
            #expect(throws: DecompositionError.notFinite) {
                try RightDirections(values.span, rows: 8, columns: 5)
            }
        }
    }

    @Test(
        "of a matrix that is read in bands are those of the whole",
        arguments: [(128, 96), (60, 128), (7, 7)], [1, 7, 64, 1_000])
    func bands(shape: (rows: Int, columns: Int), step: Int) throws {
        let (rows, columns) = shape
        let values = Samples.delta(rows: rows, columns: columns, rank: 12)
        try unsafe values.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            let bands = unsafe RowBands<DecompositionError>(rows: rows, columns: columns, step: step) { range in
                unsafe start + range.lowerBound * columns
            }
            let whole = try RightDirections(values.span, rows: rows, columns: columns)
            let found = try RightDirections(bands)
            #expect(abs(found.energy - whole.energy) < 1e-5 * whole.energy)
            for (one, other) in zip(found.sigma, whole.sigma) { #expect(abs(one - other) < 1e-3 * whole.sigma[0]) }
            let leading = try Decomposition(leading: 5, of: values.span, rows: rows, columns: columns)
            let projected = try Decomposition(leading: 5, of: bands)
            for (one, other) in zip(projected.sigma, leading.sigma) { #expect(abs(one - other) < 1e-4 * other) }
            let coder = TransformCoder(quality: whole.sigma[0] / 40)
            let (code, expected) = (try coder.code(bands, whole), coder.code(values.span, whole))
            #expect(code.rank > 0 && abs(code.rank - expected.rank) <= 1)
            let (error, wanted) = (code.squaredError(to: values.span), expected.squaredError(to: values.span))
            #expect(error < 1.01 * wanted + 1e-6 * whole.energy)
            // As one band, to the bit.
            if step > rows { #expect(code == expected && projected.left == leading.left) }
        }
    }

    @Test("of a matrix that cannot be read have the reader's error", arguments: [(40, 10), (10, 40)])
    func unreadable(rows: Int, columns: Int) throws {
        let values = Samples.uniform(rows * columns, seed: 3)
        let expected = SiltError(.changed, "the data changed")
        try unsafe values.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            let whole = try RightDirections(values.span, rows: rows, columns: columns)
            for readable in [0, 1, 3] {
                let bands = unsafe RowBands(rows: rows, columns: columns, step: 3) {
                    (range) throws(DecompositionError) in
                    guard range.lowerBound < 3 * readable else { throw .unreadable(expected) }
                    return unsafe start + range.lowerBound * columns
                }
                #expect(throws: DecompositionError.unreadable(expected)) { try RightDirections(bands) }
                #expect(throws: DecompositionError.unreadable(expected)) { try Decomposition(leading: 3, of: bands) }
                #expect(throws: DecompositionError.unreadable(expected)) {
                    try TransformCoder(quality: 0.01).code(bands, whole)
                }
            }
        }
    }

    @Test("of more directions than there are")
    func all() throws {
        let values = Samples.uniform(10 * 6, seed: 1)
        let found = try Decomposition(leading: 20, of: values.span, rows: 10, columns: 6)
        #expect(found.isComplete)
        let product = Samples.product(found.left, found.right, scales: found.sigma, rows: 10, columns: 6)
        #expect(Samples.distance(values, product) < 1e-9 * Samples.energy(values))
    }

    @Test("of nothing, of zeros, and of what is no number")
    func degenerate() throws {
        #expect(try Decomposition([Float]().span, rows: 0, columns: 7).rank == 0)
        #expect(try Decomposition([Float](repeating: 0, count: 12).span, rows: 3, columns: 4).sigma == [0, 0, 0])
        for bad in [Float.nan, .infinity, 1e30] {
            #expect(throws: DecompositionError.notFinite) {
                try Decomposition([1, bad, 0, 2].span, rows: 2, columns: 2)
            }
        }
    }

    @Test("choose a rank by energy")
    func energy() throws {
        var values = [Float](repeating: 0, count: 4 * 5)
        for (index, value) in [Float(4), 2, 2, 1].enumerated() { values[index * 6] = value }
        let found = try Decomposition(values.span, rows: 4, columns: 5)
        // 16, 4, 4, 1 of 25.
        #expect(LowRank.rank(keeping: 0, of: found) == 0)
        #expect(LowRank.rank(keeping: 0.6, of: found) == 1)
        #expect(LowRank.rank(keeping: 0.79, of: found) == 2)
        #expect(LowRank.rank(keeping: 0.81, of: found) == 3)
        #expect(LowRank.rank(keeping: 0.97, of: found) == 4)
        #expect(LowRank.rank(keeping: 1.1, of: found) == 4)
    }

    @Test("split evenly between the factors", arguments: [0, 1, 5, 99])
    func factors(rank: Int) throws {
        let values = Samples.delta(rows: 20, columns: 30, rank: 6)
        let decomposition = try Decomposition(values.span, rows: 20, columns: 30)
        let found = LowRank(decomposition, rank: rank)
        #expect(found.rank == min(rank, 20) && found.left.count == found.rank * 20)
        #expect(abs(Samples.energy(found.left) - Samples.energy(found.right)) <= 1e-4 * Samples.energy(found.left))
        let product = Samples.product(
            found.left, found.right, scales: [Float](repeating: 1, count: found.rank), rows: 20, columns: 30)
        let lost = Samples.energy(Array(decomposition.sigma.dropFirst(found.rank)))
        #expect(abs(Samples.distance(values, product) - lost) < 1e-5 * decomposition.energy)
    }

    @Test("of several matrices share their elements by what these gain")
    func ranks() throws {
        let strong = try Decomposition([4, 0, 0, 3].span, rows: 2, columns: 2)
        let weak = try Decomposition([2, 0, 0, 0].span, rows: 2, columns: 2)
        #expect(LowRank.ranks(of: [weak, strong], elements: 3) == [0, 0])
        #expect(LowRank.ranks(of: [weak, strong], elements: 8) == [0, 2])
        #expect(LowRank.ranks(of: [weak, strong], elements: 100) == [1, 2])
    }
}
