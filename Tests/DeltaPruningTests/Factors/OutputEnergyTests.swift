import DeltaKernels
import DeltaPruning
import TensorTypes
import Testing

@Suite("Factors in closed form")
struct OutputEnergyTests {
    private let samples = CalibrationSamples(rows: 250, columns: 150)

    /// A delta that lines up with the inputs in its first rows, and does not in the others.
    private func delta(rows: Int) -> [Float] {
        var values = Samples.uniform(rows * 150, seed: 9).map { $0 * 0.05 }
        for row in 0..<rows / 2 {
            for column in 0..<150 { values[row * 150 + column] += samples.inputs[row * 150 + column] * 0.2 }
        }
        return values
    }

    private func energy(_ delta: [Float], rows: Int) throws -> OutputEnergy {
        let energy = OutputEnergy(delta: delta.span, rows: rows, statistics: samples.statistics())
        return try #require(energy)
    }

    @Test("come from the squares of contributions and of outputs", arguments: [1, 3, 140])
    func sums(rows: Int) throws {
        let delta = delta(rows: rows)
        let energy = try energy(delta, rows: rows)
        let outputs = samples.outputs(delta)
        for row in 0..<rows {
            var (elements, squares) = (0.0, 0.0)
            for column in 0..<150 {
                let value = Double(delta[row * 150 + column])
                elements += value * value * samples.moment(column, column)
            }
            for vector in 0..<250 { squares += outputs[vector * rows + row] * outputs[vector * rows + row] }
            #expect(isClose(energy.elements[row], elements))
            #expect(isClose(energy.outputs[row], squares / 250, 1e-4))
        }
        let ratio = try #require(energy.ratio)
        #expect(isClose(ratio, energy.elements.reduce(0, +) / energy.outputs.reduce(0, +), 1e-12))
    }

    @Test("are where the error is least", arguments: [0.5, 0.9, 0.99])
    func minimum(drop: Double) throws {
        let energy = try energy(delta(rows: 6), rows: 6)
        let factor = energy.factor(drop: drop)
        let least = energy.relativeError(factor: factor, drop: drop)
        // A scan finds nothing better, and nothing as good far off.
        var best = (factor: 0.0, error: Double.infinity)
        for step in 0..<4_000 {
            let trial = 0.3 * (1 - drop) * (1 + Double(step) / 100)
            let error = energy.relativeError(factor: trial, drop: drop)
            if error < best.error { best = (trial, error) }
        }
        #expect(least <= best.error && isClose(factor, best.factor, 0.02))
        #expect(factor > 1 - drop)
        #expect(least < energy.relativeError(factor: 1 - drop, drop: drop))
        let ratio = try #require(energy.ratio)
        #expect(isClose(least, drop * ratio / (1 - drop + drop * ratio), 1e-12))
        let rows = energy.rowFactors(drop: drop)
        let errors = energy.rowRelativeErrors(factors: rows, drop: drop)
        for (row, error) in errors.enumerated() {
            for nudge in [0.95, 1.05] {
                var nudged = rows
                nudged[row] *= nudge
                #expect(error < energy.rowRelativeErrors(factors: nudged, drop: drop)[row])
            }
        }
        // Rows that line up with inputs gain from dropping; those of noise do not.
        #expect(rows[0] < rows[5])
    }

    @Test("promise the error that masks give, at DARE's factor and at the best")
    func simulation() throws {
        let (rows, drop) = (6, 0.9)
        let delta = delta(rows: rows)
        let energy = try energy(delta, rows: rows)
        let wanted = samples.outputs(delta)
        let whole = wanted.reduce(0) { $0 + $1 * $1 }
        let threshold = UInt32(drop * 4_294_967_296)
        let masks = 60
        for factor in [1 - drop, energy.factor(drop: drop)] {
            var error = 0.0
            for seed in 0..<masks {
                let mask = Philox.mask(seed: UInt64(seed), identity: 9, count: delta.count, threshold: threshold)
                let kept = delta.enumerated().map { mask[$0] ? $1 / Float(factor) : 0 }
                error += zip(wanted, samples.outputs(kept)).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            }
            let promised = energy.relativeError(factor: factor, drop: drop)
            #expect(isClose(error / whole / Double(masks), promised, 0.1))
        }
    }

    @Test("are DARE's where nothing can be said, and finite where outputs all but cancel")
    func degenerate() throws {
        let energy = try energy([Float](repeating: 0, count: 300), rows: 2)
        #expect(energy.factor(drop: 0.75) == 0.25 && energy.rowFactors(drop: 0.75) == [0.25, 0.25])
        #expect(energy.ratio == nil && energy.relativeError(factor: 0.25, drop: 0.75) == 0)
        // Two inputs that are all but equal, and a delta that subtracts them: Q is 25 (20 + y^2 + 1) / 3 or so, S^2 is
        // 25 (y - 1)^2 / 3.
        for (y, expected) in [
            (Float(1.3), 0.1 + 0.9 * 22.69 / 0.09), (1.01, OutputEnergy.largestFactor), (1.000_1, 0.1), (1, 0.1),
        ] {
            var twins = InputStatistics(columns: 2, gramLimit: 2)
            let inputs: [Float] = [1, 1, 3, 3, 1, y]
            unsafe inputs.withUnsafeBufferPointer { inputs in
                guard let start = inputs.baseAddress else { return }
                unsafe twins.add(start, rows: 3, columns: 2)
            }
            let difference: [Float] = [5, -5]
            let known = OutputEnergy(delta: difference.span, rows: 1, statistics: twins)
            let cancelled = try #require(known)
            #expect(isClose(cancelled.factor(drop: 0.9), expected, 1e-4))
            #expect(cancelled.relativeError(factor: 0, drop: 0.9) == .infinity)
        }
        // Without a Gram matrix, or without inputs, nothing is known.
        let blind = samples.statistics(gramLimit: 0)
        let empty = InputStatistics(columns: 150, gramLimit: 150)
        #expect(OutputEnergy(delta: delta(rows: 1).span, rows: 1, statistics: blind) == nil)
        #expect(OutputEnergy(delta: delta(rows: 1).span, rows: 1, statistics: empty) == nil)
    }
}
