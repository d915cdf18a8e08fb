import DeltaPruning
import Testing

@Suite("Descent of factors")
struct FactorDescentTests {
    @Test("finds the bottom of a valley, above the floor")
    func valley() {
        // (q - 0.04)^2 + (q - 0.02)^2 + (q - 0.001)^2, the last of which lies below the floor.
        let targets = [0.04, 0.02, 0.001]
        var descent = FactorDescent(start: [0.01, 0.01, 0.01], floor: 0.01, rate: 0.01)
        for _ in 0..<FactorDescent.publishedSteps {
            descent.step(zip(descent.factors, targets).map { 2 * ($0 - $1) })
            #expect(descent.factors.allSatisfy { $0 >= 0.01 })
        }
        let factors = descent.factors
        #expect(descent.count == FactorDescent.publishedSteps)
        #expect(abs(factors[0] - 0.04) < 1e-3 && abs(factors[1] - 0.02) < 1e-3 && factors[2] < 0.011)
    }

    @Test("takes the steps of AdamW with a cosine")
    func steps() {
        // torch.optim.AdamW(lr=1e-2) and CosineAnnealingLR(T_max=200) on c = 0.0001 with these gradients of c.
        var descent = FactorDescent(start: [0.01], floor: 0.01, rate: 0.01)
        #expect(abs(descent.factors[0] - 0.0101) < 1e-12)
        var found: [Double] = []
        for slope in [-3.0, -1, 2, -0.5] {
            descent.step([slope])
            found.append(descent.factors[0] - 0.01)
        }
        for (value, expected) in zip(found, FactorDescentTests.torch) { #expect(abs(value - expected) < 1e-9) }
    }

    private static let torch = [
        0.010099989966666665, 0.018809082193263757, 0.021078893348812, 0.023690803433763525,
    ]

    @Test("begins where it is told, a little above the floor at least")
    func start() {
        #expect(FactorDescent(start: [1, 0.01], floor: 0.01, rate: 0.01).factors == [0.99 + 0.01, 0.0001 + 0.01])
    }

    @Test("is done after as many steps as it is told: the rate falls to 0")
    func length() {
        var moved: [Double] = []
        var descent = FactorDescent(start: [1], floor: 0.01, rate: 0.02, steps: 10)
        for _ in 0..<10 {
            let before = descent.factors[0]
            descent.step([1])
            moved.append(before - descent.factors[0])
        }
        // With a constant slope, Adam moves by the rate: 0.02 (1 + cos(pi k / 10)) / 2, and a little decay.
        #expect(abs(moved[0] - 0.02) < 5e-4 && abs(moved[5] - 0.01) < 5e-4 && moved[9] < 1e-3)
        #expect(descent.steps == 10 && descent.count == 10)
    }
}
