import DeltaPruning
import TensorTypes
import TestSupport
import Testing

@Suite("The search for a factor around one that is known")
struct FactorRefinementTests {
    private struct Stop: Error {}

    /// E h^2 over S^2 for Q / S^2 = `ratio`: least at (1 - p) + p `ratio`.
    private static func loss(_ factor: Double, drop: Double, ratio: Double) -> Double {
        let bias = DroppingTheory.bias(sum: 1, factor: factor, drop: drop)
        return bias * bias + DroppingTheory.variance(squares: ratio, factor: factor, drop: drop)
    }

    @Test("finds the minimum to a percent, wherever", arguments: [0.9, 0.99], [0.0003, 0.004, 0.03, 0.3])
    func minimum(drop: Double, ratio: Double) throws {
        let expected = 1 - drop + drop * ratio
        let refinement = try FactorRefinement(start: 1 - drop, evaluations: 40)
        let trials = refinement.search { FactorRefinementTests.loss($0, drop: drop, ratio: ratio) }
        #expect(isClose(trials.best.factor, expected, 0.01), "\(trials.best.factor) for \(expected)")
        #expect(trials.all.count <= 24, "\(trials.all.count)")
        #expect(trials.all[0].factor == 1 - drop)
    }

    @Test("finds minima below the start, with kinks and with walls", arguments: [0.2, 0.9, 1.0, 1.1, 2.2, 9])
    func shapes(minimum: Double) throws {
        for shape in 0..<3 {
            let refinement = try FactorRefinement(start: 0.1, evaluations: 40)
            let trials = refinement.search { factor in
                let ratio = factor / (0.1 * minimum)
                return switch shape {
                case 0: max(ratio, 1 / ratio)
                case 1: ratio > 1.3 ? .nan : (ratio - 1) * (ratio - 1)
                default: (ratio - 1) * (ratio - 1) / ratio
                }
            }
            // Where half the points are walls the search may begin on the wrong side of one.
            if shape != 1 || minimum >= 1 {
                #expect(isClose(trials.best.factor, 0.1 * minimum, 0.011), "\(shape): \(trials.best.factor)")
            }
        }
    }

    @Test("gives back nothing worse than the start, whatever the noise", arguments: 0..<20 as Range<UInt64>)
    func noise(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let refinement = try FactorRefinement(start: 0.05, evaluations: 18)
        let trials = refinement.search { factor in
            let noise = Double(generator.below(1_000)) / 1_000
            return FactorRefinementTests.loss(factor, drop: 0.95, ratio: 0.03) + 0.05 * noise
        }
        #expect(trials.best.loss <= trials.all[0].loss)
        #expect(trials.all.count <= 18 && trials.all.allSatisfy { trials.best.loss <= $0.loss })
        #expect(Set(trials.all.map(\.factor)).count == trials.all.count)
    }

    @Test("keeps to its evaluations, and to the start where all are as good or none is a number")
    func limits() throws {
        for evaluations in [1, 2, 7, 9] {
            let trials = try FactorRefinement(start: 0.1, evaluations: evaluations).search { $0 }
            #expect(trials.all.count == evaluations)
        }
        let refinement = try FactorRefinement(start: 0.1)
        #expect(refinement.search { _ in 3 }.best.factor == 0.1)
        let none = refinement.search { _ in .nan }
        #expect(none.best.factor == 0.1 && none.best.loss == .infinity)
        let lucky = refinement.search { $0 == 0.1 ? 1 : .infinity }
        #expect(lucky.best.factor == 0.1 && lucky.best.loss == 1)
        #expect(throws: Stop.self) { try refinement.search { _ throws(Stop) in throw Stop() } }
        // No multipliers: it finds its own bracket.
        let bare = try FactorRefinement(start: 0.1, multipliers: [], evaluations: 40).search { ($0 - 0.15).magnitude }
        #expect(isClose(bare.best.factor, 0.15, 0.011))
    }

    @Test("is refused where it is none")
    func refused() {
        for (start, multipliers, width, evaluations) in [
            (0.0, [1.5], 0.01, 9), (.nan, [1.5], 0.01, 9), (.infinity, [1.5], 0.01, 9), (1, [0], 0.01, 9),
            (1, [.nan], 0.01, 9), (1, [1.5], 0, 9), (1, [1.5], .nan, 9), (1, [1.5], 0.01, 0),
        ] {
            #expect(throws: SiltError.self) {
                try FactorRefinement(start: start, multipliers: multipliers, width: width, evaluations: evaluations)
            }
        }
    }
}
