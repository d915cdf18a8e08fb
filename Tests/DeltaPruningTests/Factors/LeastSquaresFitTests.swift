import DeltaPruning
import TensorTypes
import Testing

@Suite("Factors by least squares")
struct LeastSquaresFitTests {
    private let samples = CalibrationSamples(rows: 120, columns: 90)

    /// The squared error of outputs over their square, from the outputs themselves; of one row, or of all.
    private func error(_ delta: [Float], _ masked: [Float], factor: Double, rows: Int, row: Int? = nil) -> Double {
        let (wanted, found) = (samples.outputs(delta), samples.outputs(masked))
        var (error, energy) = (0.0, 0.0)
        for index in wanted.indices where row == nil || index % rows == row {
            error += (wanted[index] - found[index] / factor) * (wanted[index] - found[index] / factor)
            energy += wanted[index] * wanted[index]
        }
        return error / energy
    }

    @Test("are those that a scan over outputs finds", arguments: [1, 4, 130])
    func scan(rows: Int) throws {
        // It lines up with inputs: a mask of a tenth can be of use then.
        let delta = Samples.delta(rows: rows, columns: 90, rank: 3).enumerated()
            .map { 0.3 * $1 + 0.5 * samples.inputs[$0 % samples.inputs.count] }
        let mask = Magnitude.top(share: 0.1, ofEachRow: delta.span, columns: 90)
        let masked = delta.enumerated().map { mask[$0] ? $1 : 0 }
        let fit = LeastSquaresFit(delta: delta.span, masked: masked.span, rows: rows, statistics: samples.statistics())
        let factor = fit.factor()
        #expect(factor < 0.9 && factor > 0.1)
        let best = error(delta, masked, factor: factor, rows: rows)
        #expect(isClose(fit.relativeError(factor: factor), best, 1e-3))
        for nudge in [0.5, 0.95, 1.05, 2] {
            #expect(best < error(delta, masked, factor: factor * nudge, rows: rows))
        }
        let factors = fit.rowFactors()
        #expect(fit.relativeError(factors: factors) <= fit.relativeError(factor: factor))
        for row in stride(from: 0, to: rows, by: 43) {
            let best = error(delta, masked, factor: factors[row], rows: rows, row: row)
            for nudge in [0.95, 1.05] {
                #expect(best < error(delta, masked, factor: factors[row] * nudge, rows: rows, row: row))
            }
        }
    }

    @Test("undo a plain scale, with a Gram matrix and without", arguments: [0, 90])
    func scale(gramLimit: Int) {
        let delta = Samples.uniform(5 * 90, seed: 8)
        let masked = delta.map { $0 * 0.25 }
        let statistics = samples.statistics(gramLimit: gramLimit)
        let fit = LeastSquaresFit(delta: delta.span, masked: masked.span, rows: 5, statistics: statistics)
        #expect(isClose(fit.factor(), 0.25, 1e-9))
        #expect(fit.rowFactors().allSatisfy { isClose($0, 0.25, 1e-9) })
        #expect(fit.relativeError(factor: 0.25) < 1e-12 && isClose(fit.relativeError(factor: 0.5), 0.25, 1e-9))
    }

    @Test("weigh by mean squares without a Gram matrix")
    func diagonal() {
        let delta = Samples.uniform(3 * 90, seed: 5)
        let masked = delta.enumerated().map { $0 % 4 == 0 ? ($1 * 3).rounded() / 3 : 0 }
        let statistics = samples.statistics(gramLimit: 0)
        let fit = LeastSquaresFit(delta: delta.span, masked: masked.span, rows: 3, statistics: statistics)
        var (own, mixed) = (0.0, 0.0)
        for index in delta.indices {
            let weight = samples.moment(index % 90, index % 90)
            own += Double(masked[index]) * Double(masked[index]) * weight
            mixed += Double(masked[index]) * Double(delta[index]) * weight
        }
        #expect(isClose(fit.factor(), own / mixed, 1e-9))
    }

    @Test("are the fallback where none fits")
    func fallback() {
        let delta = Samples.uniform(2 * 90, seed: 8)
        let opposite = delta.enumerated().map { $0 < 90 ? -$1 : 0 }
        let fit = LeastSquaresFit(
            delta: delta.span, masked: opposite.span, rows: 2, statistics: samples.statistics())
        #expect(fit.factor() == 1 && fit.factor(fallback: 0.1) == 0.1)
        #expect(fit.rowFactors(fallback: 0.2) == [0.2, 0.2])
        let none = LeastSquaresFit(
            delta: delta.span, masked: delta.span, rows: 2, statistics: InputStatistics(columns: 90, gramLimit: 90))
        #expect(none.factor() == 1 && none.relativeError(factor: 1) == 0)
    }
}
