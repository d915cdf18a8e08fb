import Foundation
import Testing

@testable import DeltaPruning

@Suite("Curvature")
struct CurvatureTests {
    /// Vectors whose directions have very different sizes, and are not those of the axes.
    private static func vectors(_ count: Int, columns: Int, seed: UInt64) -> [Float] {
        let sources = Samples.uniform(count * 6, seed: seed)
        let mixing = Samples.uniform(6 * columns, seed: seed + 1)
        let noise = Samples.uniform(count * columns, seed: seed + 2)
        return (0..<count * columns).map { index in
            let (row, column) = (index / columns, index % columns)
            let sum = (0..<6).reduce(Float(0)) { sum, source in
                sum + sources[row * 6 + source] * mixing[source * columns + column] * Float(1 << (5 - source))
            }
            return sum + 0.05 * noise[index]
        }
    }

    private static func statistics(
        _ vectors: [Float], columns: Int, hasGram: Bool = true
    ) -> InputStatistics {
        var statistics = InputStatistics(columns: columns, gramLimit: hasGram ? columns : 0)
        unsafe vectors.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            unsafe statistics.add(start, rows: vectors.count / columns, columns: columns)
        }
        return statistics
    }

    private static func curvature(rows: Int, columns: Int) throws -> Curvature {
        Curvature(
            rows: try #require(statistics(vectors(400, columns: rows, seed: 5), columns: rows).metric(damping: 0.05)),
            columns: try #require(
                statistics(vectors(500, columns: columns, seed: 9), columns: columns).metric(damping: 0.05)))
    }

    /// What the errors of a code cost.
    private static func cost(_ code: TransformCode, _ delta: [Float], _ curvature: Curvature) -> Double {
        var errors = delta
        code.forEachBand { band, values in
            for index in values.indices { errors[band.lowerBound * code.columns + index] -= values[index] }
        }
        return curvature.cost(errors.span)
    }

    @Test("of no preference gives the bits of the plain coder", arguments: [0.7, 0, -0.7])
    func identity(deadZone: Double) throws {
        let delta = Samples.delta(rows: 60, columns: 150, rank: 12)
        for quality in [0.2, 0.05, 0.01] as [Float] {
            var coder = TransformCoder(quality: quality)
            coder.deadZone = deadZone
            let plain = try coder.code(delta.span, rows: 60, columns: 150)
            #expect(plain.rank > 0)
            #expect(try coder.code(delta.span, rows: 60, columns: 150, Curvature(identity: 60, 150)) == plain)
        }
    }

    @Test("is tr(S E G E')")
    func cost() throws {
        let (rows, columns) = (7, 11)
        let inputs = Self.vectors(40, columns: columns, seed: 1)
        let gradients = Self.vectors(30, columns: rows, seed: 2)
        let curvature = Curvature(
            rows: try #require(Self.statistics(gradients, columns: rows).metric(damping: 0, factor: 3)),
            columns: try #require(Self.statistics(inputs, columns: columns).metric(damping: 0)))
        let errors = Samples.uniform(rows * columns, seed: 3)
        // The mean over inputs and gradients of (g E x)^2, times 3.
        var expected = 0.0
        for g in 0..<30 {
            for x in 0..<40 {
                var sum = 0.0
                for row in 0..<rows {
                    for column in 0..<columns {
                        sum +=
                            Double(gradients[g * rows + row]) * Double(errors[row * columns + column])
                            * Double(inputs[x * columns + column])
                    }
                }
                expected += sum * sum / 1_200
            }
        }
        #expect(abs(curvature.cost(errors.span) - 3 * expected) < 1e-4 * expected)
    }

    @Test("makes errors of as many bits cost less", arguments: [(48, 96), (96, 40)])
    func beatsPlain(rows: Int, columns: Int) throws {
        let curvature = try Self.curvature(rows: rows, columns: columns)
        let delta = Samples.delta(rows: rows, columns: columns, rank: 20, decay: 0.9, noise: 0.1)
        let decomposition = try Decomposition(curvature.whitened(delta.span).span, rows: rows, columns: columns)
        let whole = curvature.cost(delta.span)
        for quality in [0.6, 0.3, 0.1] as [Float] {
            let plain = try TransformCoder(quality: quality).code(delta.span, rows: rows, columns: columns)
            // The finest that takes no more bits.
            var (low, high) = (Float(whole.squareRoot()) * 1e-6, Float(whole.squareRoot()))
            for _ in 0..<30 {
                let middle = (low * high).squareRoot()
                let code = TransformCoder(quality: middle).code(delta.span, decomposition, curvature)
                if code.estimatedBits > plain.estimatedBits { low = middle } else { high = middle }
            }
            let code = TransformCoder(quality: high).code(delta.span, decomposition, curvature)
            #expect(code.rank > 0)
            #expect(Self.cost(code, delta, curvature) < 0.5 * Self.cost(plain, delta, curvature))
        }
    }

    @Test("costs less the finer the code is")
    func quality() throws {
        let curvature = try Self.curvature(rows: 40, columns: 70)
        let delta = Samples.delta(rows: 40, columns: 70, rank: 10)
        let whole = curvature.cost(delta.span)
        var last = 2 * whole
        for quality in [1, 0.1, 0.01, 0.001] as [Float] {
            let code = try TransformCoder(quality: quality * Float((whole / 2_800).squareRoot()))
                .code(delta.span, rows: 40, columns: 70, curvature)
            let cost = Self.cost(code, delta, curvature)
            #expect(cost < last)
            last = cost
        }
        #expect(last < 1e-3 * whole)
    }

    @Test("lets positions make up for the errors of others")
    func feedback() throws {
        let columns = 200
        let metric = try #require(
            Self.statistics(Self.vectors(900, columns: columns, seed: 4), columns: columns).metric(damping: 0.01))
        let real = DenseMatrix(rows: 2, columns: columns, values: Samples.uniform(2 * columns, seed: 6).map { 4 * $0 })
        let codes = CodeRounding(deadZone: 0).round(real, gains: [1, 1], metric)
        func cost(_ codes: [Float]) -> Double {
            let errors = DenseMatrix(rows: 2, columns: columns, values: zip(real.values, codes).map { $0 - $1 })
            return Samples.energy(metric.whitened(errors).values)
        }
        #expect(codes.values.allSatisfy { $0 == $0.rounded() })
        #expect(cost(codes.values) < 0.2 * cost(real.values.map { $0.rounded() }))
        // Each position's own cost is that of an error of at most a half.
        let bound = metric.weights.reduce(0.0) { $0 + Double($1) } * Double(metric.scale * metric.scale) / 2
        #expect(cost(codes.values) <= bound * 1.001)
    }

    @Test("needs no statistics of full rank, and makes nothing of none")
    func degenerate() throws {
        // One vector: a Gram matrix of rank 1.
        let single = Self.statistics(Self.vectors(1, columns: 20, seed: 8), columns: 20)
        #expect(single.metric(damping: 0.1)?.size == 20)
        // Inputs 0 to 9 are always 0.
        let half = Self.statistics((0..<400).map { $0 % 20 < 10 ? 0 : Float($0 % 7) - 3 }, columns: 20)
        let metric = try #require(half.metric(damping: 0.1))
        let curvature = Curvature(rows: ErrorMetric(identity: 5), columns: metric)
        let delta = Samples.uniform(100, seed: 1)
        let code = try TransformCoder(quality: 0.01).code(delta.span, rows: 5, columns: 20, curvature)
        let whole = curvature.cost(delta.span)
        #expect(Self.cost(code, delta, curvature) < 0.01 * whole)
        // Not positive definite without damping: errors at different inputs do not meet, or there is no metric.
        #expect(half.metric(damping: 0) == nil)
        #expect(Self.statistics([Float](repeating: 0, count: 40), columns: 20).metric(damping: 0.1) == nil)
        #expect(Self.statistics([], columns: 20).metric(damping: 0.1) == nil)
        #expect(Self.statistics([.nan, 1], columns: 2).metric(damping: 0.1) == nil)
        #expect(Self.statistics([.infinity, 1], columns: 2).metric(damping: 0.1) == nil)
        #expect(ErrorMetric(diagonal: [1, 0]) == nil && ErrorMetric(diagonal: [1, .nan]) == nil)
        let zero = [Float](repeating: 0, count: 100)
        let empty = try TransformCoder(quality: 1).code(zero.span, rows: 5, columns: 20, curvature)
        #expect(empty.rank == 0)
    }

    @Test("without a Gram matrix knows each position by itself")
    func diagonal() throws {
        let vectors = Self.vectors(50, columns: 6, seed: 3)
        let metric = try #require(Self.statistics(vectors, columns: 6, hasGram: false).metric(damping: 0))
        let squares = Self.statistics(vectors, columns: 6).meanSquares
        for column in 0..<6 {
            var row = DenseMatrix(rows: 1, columns: 6)
            row.values[column] = 2
            let cost = Samples.energy(metric.whitened(row).values)
            #expect(abs(cost - 4 * squares[column]) < 1e-5 * cost)
        }
    }

    @Test("gives vectors steps that cost as much")
    func vectors() throws {
        let values = Samples.uniform(300, seed: 2)
        let coder = VectorCoder(quality: 0.1, weight: 4, deadZone: 0)
        #expect(coder.step == 0.05)
        let found = coder.code(values.span)
        let codes = try #require(found)
        #expect(zip(values, codes).allSatisfy { abs($0 - 0.05 * Float($1)) <= 0.0251 })
        // Macros take no spans.
        let coarse = VectorCoder(quality: 100, weight: 4, deadZone: 0).code(values.span)
        let zero = [Float](repeating: 0, count: 9)
        let nothing = coder.code(zero.span)
        let fine = VectorCoder(quality: 1e-30, weight: 1, deadZone: 0).code(values.span)
        #expect(coarse == nil && nothing == nil && fine == nil)
    }
}
