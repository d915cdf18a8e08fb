import DeltaPruning
import TensorTypes
import TestSupport
import Testing

@Suite("The search for a factor in two stages")
struct FactorGridTests {
    private struct Stop: Error {}

    @Test("takes the published code's points, and stops where it does")
    func points() throws {
        // Least at 0.2. Coarse: 0.1 ... 0.4, 4 in a row being worse; fine: from 0.155 in steps of 0.005.
        let trials = try FactorGrid(lower: 0.1, upper: 0.6, step: 0.05).search { ($0 - 0.2) * ($0 - 0.2) }
        let coarse = [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4]
        // 0.2 is known from the coarse stage.
        let fine = [0.155, 0.16, 0.165, 0.17, 0.175, 0.18, 0.185, 0.19, 0.195, 0.205, 0.21, 0.215, 0.22]
        #expect(trials.all.count == coarse.count + fine.count)
        for (trial, expected) in zip(trials.all, coarse + fine) {
            #expect((trial.factor - expected).magnitude < 1e-12)
        }
        #expect((trials.best.factor - 0.2).magnitude < 1e-12)
    }

    @Test("goes past the upper end for what is left of a step, and not below the lower")
    func ends() throws {
        // The README's range: 0.01 to 0.1 by 0.05.
        let falling = try FactorGrid(lower: 0.01, upper: 0.1, step: 0.05).search { -$0 }
        #expect(falling.all.prefix(3).map { ($0.factor * 100).rounded() } == [1, 6, 11])
        #expect((falling.best.factor - 0.155).magnitude < 1e-9)
        let rising = try FactorGrid(lower: 0.01, upper: 0.1, step: 0.05).search { $0 }
        #expect(rising.best.factor == 0.01 && rising.all.allSatisfy { $0.factor >= 0.01 })
        let single = try FactorGrid(lower: 0.2, upper: 0.2, step: 0.1).search { $0 }
        #expect(single.best.factor == 0.2)
    }

    @Test("begins to count anew where a loss is as good, and takes the first of equals")
    func ties() throws {
        // Three worse, one equal, three worse, then better: found, since the equal one resets.
        let losses: [Double] = [5, 6, 6, 6, 5, 6, 6, 6, 4, 4, 9]
        var coarse: [Double] = []
        let trials = try FactorGrid(lower: 1, upper: 11, step: 1, decay: 1).search { factor in
            coarse.append(factor)
            let index = Int(factor.rounded()) - 1
            return index < losses.count ? losses[index] : 9
        }
        #expect(trials.best.factor == 9 && trials.best.loss == 4)
        #expect(coarse.count == 11)
        // Four worse end it.
        let ended = try FactorGrid(lower: 1, upper: 9, step: 1, decay: 1).search { $0 == 7 ? 0 : $0 }
        #expect(ended.best.factor == 1 && ended.all.count == 5)
    }

    @Test("takes a loss that is no number for the worst, and passes errors on")
    func oddLosses() throws {
        let grid = try FactorGrid(lower: 0.1, upper: 0.5, step: 0.1)
        let trials = grid.search { $0 < 0.25 ? .nan : ($0 < 0.35 ? 1 : -.infinity) }
        #expect(trials.best.loss == 1 && isClose(trials.best.factor, 0.3, 1e-9))
        let none = grid.search { _ in .nan }
        #expect(none.best.factor == 0.1 && none.best.loss == .infinity)
        #expect(none.all.prefix(4).count == 4)
        #expect(throws: Stop.self) { try grid.search { _ throws(Stop) in throw Stop() } }
    }

    @Test("misses a sharp minimum that the refinement finds")
    func sharp() throws {
        // Loss as in theory: best at 0.0125, close to 1 - p = 0.01.
        func loss(_ factor: Double) -> Double {
            let bias = 1 - 0.01 / factor
            return bias * bias + 0.002_5 * 0.01 / (factor * factor)
        }
        let grid = try FactorGrid(lower: 0.01, upper: 0.1, step: 0.05).search(loss)
        let refined = try FactorRefinement(start: 0.01).search(loss)
        #expect(isClose(refined.best.factor, 0.012_5, 0.005))
        #expect(refined.best.loss < grid.best.loss)
        #expect(refined.all.count <= 16)
    }

    @Test("is refused where it is none")
    func refused() {
        for (lower, upper, step, decay) in [
            (0.0, 1.0, 0.1, 0.1), (0.5, 0.4, 0.1, 0.1), (0.1, 0.2, 0, 0.1), (0.1, 0.2, 0.1, 0), (0.1, 0.2, 0.1, 2),
            (0.1, .infinity, 0.1, 0.1), (0.1, 1, 1e-6, 0.1), (0.1, 0.2, .nan, 0.1), (1, 1, 1e-17, 0.1),
        ] {
            #expect(throws: SiltError.self) { try FactorGrid(lower: lower, upper: upper, step: step, decay: decay) }
        }
    }
}
