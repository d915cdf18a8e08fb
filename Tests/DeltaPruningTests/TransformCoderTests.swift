import DeltaPruning
import Foundation
import Testing

@Suite("Transform coding")
struct TransformCoderTests {
    /// The delta by the text's formula.
    private func values(_ code: TransformCode) -> [Float] {
        Samples.product(
            code.left.map { Float($0) }, code.right.map { Float($0) }, scales: code.scales, rows: code.rows,
            columns: code.columns)
    }

    private func check(_ code: TransformCode, rows: Int, columns: Int) {
        #expect(code.rows == rows && code.columns == columns && code.rank == code.scales.count)
        #expect(code.left.count == code.rank * rows && code.right.count == code.rank * columns)
        #expect(code.left.allSatisfy { $0.magnitude < 1 << 24 } && code.right.allSatisfy { $0.magnitude < 1 << 24 })
        #expect(code.scales.allSatisfy { $0 > 0 && $0.isFinite && $0.bitPattern & 0xFFFF == 0 })
    }

    @Test("errs less the finer it is, and says how much", arguments: [(96, 128), (64, 24), (1, 40), (40, 1)])
    func quality(rows: Int, columns: Int) throws {
        let delta = Samples.delta(rows: rows, columns: columns, rank: 10)
        let energy = Samples.energy(delta)
        let decomposition = try Decomposition(delta.span, rows: rows, columns: columns)
        var (last, bits) = (Double.infinity, 0.0)
        for quality in [1, 0.3, 0.1, 0.03, 0.001] as [Float] {
            let code = TransformCoder(quality: quality).code(delta.span, decomposition)
            check(code, rows: rows, columns: columns)
            let error = code.squaredError(to: delta.span)
            #expect(abs(error - Samples.distance(delta, values(code))) < 1e-3 * error + 1e-9 * energy)
            #expect(error < last || code.rank == 0, "\(quality)")
            #expect(code.estimatedBits >= bits)
            (last, bits) = (error, code.estimatedBits)
        }
        #expect(last < 1e-4 * energy)
    }

    @Test("has less error than truncation to integers of 4 bits at as many bits", arguments: [1, 2, 4, 8])
    func beatsTruncation(rank: Int) throws {
        let (rows, columns) = (96, 128)
        let delta = Samples.delta(rows: rows, columns: columns, rank: 24, decay: 0.8, noise: 0.1)
        let decomposition = try Decomposition(delta.span, rows: rows, columns: columns)
        let plain = LowRank(decomposition, rank: rank)
        func rounded(_ factor: [Float], _ width: Int) -> (values: [Float], bits: Double) {
            var (values, bits) = (factor, 0.0)
            for row in 0..<rank {
                let range = row * width..<(row + 1) * width
                let step = (factor[range].map(\.magnitude).max() ?? 0) / 7
                var counts = [Float: Double]()
                for index in range {
                    values[index] = (factor[index] / step).rounded() * step
                    counts[(factor[index] / step).rounded(), default: 0] += 1
                }
                // The entropy of the row, and its scale.
                bits += counts.values.reduce(16) { $0 + $1 * log2(Double(width) / $1) }
            }
            return (values, bits)
        }
        let (left, right) = (rounded(plain.left, rows), rounded(plain.right, columns))
        let product = Samples.product(
            left.values, right.values, scales: [Float](repeating: 1, count: rank), rows: rows, columns: columns)
        let error = Samples.distance(delta, product)
        // The finest code that takes no more bits, though nothing pays for learning the statistics of the other.
        var (low, high) = (Float(0.001), Float(10))
        for _ in 0..<24 {
            let middle = (low * high).squareRoot()
            let code = TransformCoder(quality: middle).code(delta.span, decomposition)
            if code.estimatedBits > left.bits + right.bits { low = middle } else { high = middle }
        }
        let code = TransformCoder(quality: high).code(delta.span, decomposition)
        #expect(code.squaredError(to: delta.span) < error)
    }

    @Test("keeps nothing of nothing, and nothing that is not worth its bits")
    func nothing() throws {
        let zero = [Float](repeating: 0, count: 20 * 30)
        let code = try TransformCoder(quality: 1e-3).code(zero.span, rows: 20, columns: 30)
        #expect(code.rank == 0 && code.estimatedBits == 0 && code.squaredError(to: zero.span) == 0)
        check(code, rows: 20, columns: 30)
        let delta = Samples.delta(rows: 20, columns: 30, rank: 2)
        let coarse = try TransformCoder(quality: 100).code(delta.span, rows: 20, columns: 30)
        #expect(coarse.rank == 0)
        #expect(abs(coarse.squaredError(to: delta.span) - Samples.energy(delta)) < 1e-9 * Samples.energy(delta))
        #expect(try TransformCoder(quality: 1).code([Float]().span, rows: 0, columns: 0).rank == 0)
        #expect(try TransformCoder(quality: 1).code([Float]().span, rows: 0, columns: 5).rank == 0)
    }

    @Test(
        "survives the ends of the range", arguments: [1e-30, 1e-6, 1, 1e12] as [Float], [1e-9, 1e-4, 0.3] as [Float])
    func range(scale: Float, relative: Float) throws {
        let (rows, columns) = (24, 36)
        let delta = Samples.delta(rows: rows, columns: columns, rank: 5).map { $0 * scale }
        let code = try TransformCoder(quality: relative * scale).code(delta.span, rows: rows, columns: columns)
        check(code, rows: rows, columns: columns)
        let share = code.squaredError(to: delta.span) / Samples.energy(delta)
        #expect(share < (relative < 0.1 ? 1e-6 : 0.5), "\(share)")
    }

    @Test("takes one step for all: an equal slope, whatever the matrix")
    func allocation() throws {
        // Halving c removes about 3/4 c^2 / 12 of error for every element of the factors, at about a bit for each.
        for seed in 1...3 as ClosedRange<UInt64> {
            let delta = Samples.delta(rows: 80, columns: 100, rank: 6, decay: 0.6, noise: 0, seed: seed)
            let decomposition = try Decomposition(delta.span, rows: 80, columns: 100)
            let codes = [Float(0.02), 0.01].map { TransformCoder(quality: $0).code(delta.span, decomposition) }
            let slope =
                (codes[0].squaredError(to: delta.span) - codes[1].squaredError(to: delta.span))
                / (codes[1].estimatedBits - codes[0].estimatedBits)
            #expect(0.7...1.3 ~= slope / (0.02 * 0.02 / 16), "\(slope)")
        }
    }

    @Test("neither shrinks nor grows what it keeps", arguments: [-1, 0, 0.7, 3])
    func projection(deadZone: Double) throws {
        let delta = Samples.delta(rows: 60, columns: 90, rank: 8)
        var coder = TransformCoder(quality: 1)
        coder.deadZone = deadZone
        let found = values(try coder.code(delta.span, rows: 60, columns: 90))
        let inner = zip(delta, found).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        #expect(abs(inner / Samples.energy(found) - 1) < 0.004)
    }

    @Test(
        "drops what does not pay: another toll is worse at the price of this one", arguments: [0.2, 0.5, 1] as [Float])
    func toll(quality: Float) throws {
        let delta = Samples.delta(rows: 80, columns: 90, rank: 30, decay: 0.9, noise: 0.3)
        let decomposition = try Decomposition(delta.span, rows: 80, columns: 90)
        let costs = [0, 1, 6].map { toll in
            var coder = TransformCoder(quality: quality)
            coder.toll = toll
            let code = coder.code(delta.span, decomposition)
            return code.squaredError(to: delta.span) + 0.1155 * Double(quality * quality) * code.estimatedBits
        }
        #expect(costs[1] <= costs[0] && costs[1] < costs[2], "\(costs)")
    }

    @Test("is the same every time, and with a decomposition that goes deeper than it must")
    func repeats() throws {
        let delta = Samples.delta(rows: 60, columns: 70, rank: 8)
        let coder = TransformCoder(quality: 0.2)
        let code = try coder.code(delta.span, rows: 60, columns: 70)
        let decomposition = try Decomposition(delta.span, rows: 60, columns: 70)
        #expect(code.rank > 0 && coder.code(delta.span, decomposition) == code)
        var again = coder
        again.sweeps = 3
        let fitted = again.code(delta.span, decomposition)
        #expect(fitted.squaredError(to: delta.span) < 1.02 * code.squaredError(to: delta.span))
    }

    @Test("has other scales after division, of the same integers; those that would leave BF16 stay")
    func division() throws {
        let delta = Samples.delta(rows: 30, columns: 40, rank: 6)
        let code = try TransformCoder(quality: 0.1).code(delta.span, rows: 30, columns: 40)
        try #require(code.rank > 2)
        var factors = [Double](repeating: 1, count: code.rank)
        (factors[0], factors[1], factors[2]) = (0.5, 0.9, 1e-60)
        let divided = code.divided(by: factors)
        check(divided, rows: 30, columns: 40)
        #expect(divided.left == code.left && divided.right == code.right)
        #expect(divided.scales[0] == 2 * code.scales[0])
        #expect(abs(Double(divided.scales[1]) * 0.9 / Double(code.scales[1]) - 1) < 0x1p-8)
        #expect(divided.scales[2...] == code.scales[2...])
    }
}
