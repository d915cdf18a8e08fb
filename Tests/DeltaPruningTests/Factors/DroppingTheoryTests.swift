import DeltaKernels
import DeltaPruning
import TensorTypes
import TestSupport
import Testing

@Suite("Theory of random dropping")
struct DroppingTheoryTests {
    /// Errors of one output under many seeded masks.
    static func errors(_ terms: [Float], factor: Double, drop: Double, masks: Int) -> [Double] {
        let threshold = UInt32(drop * 4_294_967_296)
        return (0..<masks).map { seed in
            let mask = Philox.mask(seed: UInt64(seed), identity: 5, count: terms.count, threshold: threshold)
            var error = 0.0
            for index in terms.indices { error += Double(terms[index]) * (mask[index] ? 1 - 1 / factor : 1) }
            return error
        }
    }

    private static func sums(_ terms: [Float]) -> (sum: Double, squares: Double) {
        terms.reduce(into: (0.0, 0.0)) { sums, term in
            sums.0 += Double(term)
            sums.1 += Double(term) * Double(term)
        }
    }

    @Test("gives the mean and the variance that masks show", arguments: [0.3, 0.9, 0.99], [1.0, 1.7])
    func moments(drop: Double, multiple: Double) {
        let terms = Samples.uniform(400, seed: 2).map { $0 + 0.1 }
        let factor = (1 - drop) * multiple
        let errors = DroppingTheoryTests.errors(terms, factor: factor, drop: drop, masks: 20_000)
        let mean = errors.reduce(0, +) / 20_000
        let variance = errors.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20_000
        let (sum, squares) = DroppingTheoryTests.sums(terms)
        let expected = DroppingTheory.variance(squares: squares, factor: factor, drop: drop)
        let bias = DroppingTheory.bias(sum: sum, factor: factor, drop: drop)
        // Five standard errors of a mean; the mean of DARE is 0.
        #expect((mean - bias).magnitude < 5 * (expected / 20_000).squareRoot())
        #expect(isClose(variance, expected, 0.06))
        if multiple == 1 { #expect(bias.magnitude < 1e-12) } else { #expect(bias > 5) }
    }

    @Test("bounds the error of DARE as often as it says", arguments: [0.5, 0.9, 0.99], [0.05, 0.5])
    func coverage(drop: Double, failure: Double) {
        for terms in [Samples.uniform(300, seed: 4), Samples.uniform(300, seed: 4).map { $0 + 1 }, [1, 2, 3, 4]] {
            let bound = DroppingTheory.bound(
                squares: DroppingTheoryTests.sums(terms).squares, drop: drop, failure: failure)
            let errors = DroppingTheoryTests.errors(terms, factor: 1 - drop, drop: drop, masks: 4_000)
            let covered = Double(errors.count { $0.magnitude <= bound }) / 4_000
            // Three standard errors of a share.
            #expect(covered >= 1 - failure - 3 * (failure * (1 - failure) / 4_000).squareRoot(), "\(covered)")
            // And it is a bound of some use.
            let deviation = DroppingTheory.variance(
                squares: DroppingTheoryTests.sums(terms).squares, factor: 1 - drop, drop: drop
            ).squareRoot()
            #expect(bound > deviation && bound < 10 * deviation)
        }
    }

    @Test("has the paper's Phi, with its limits")
    func phi() {
        for (drop, expected) in [(0.9, 0.364), (0.95, 0.306), (0.99, 0.213), (0.999, 0.1445), (0.5, 0.5)] {
            #expect((DroppingTheory.phi(drop) - expected).magnitude < 6e-4)
            #expect(isClose(DroppingTheory.phi(drop), DroppingTheory.phi(1 - drop), 1e-12))
        }
        // The closed form at q = 0.5 + d: 1/2 (1 - (2d)^2 / 3 ...), where both formulas meet as well.
        #expect(isClose(DroppingTheory.phi(0.500_001), 0.5 * (1 - 4e-12 / 3), 1e-15))
        #expect(isClose(DroppingTheory.phi(0.449_999_999), DroppingTheory.phi(0.450_000_001), 1e-9))
        // d / (2 artanh d) at d = 0.2: artanh 0.2 = 0.202732554054082.
        #expect(isClose(DroppingTheory.phi(0.4), 0.1 / 0.202_732_554_054_082, 1e-13))
        #expect(DroppingTheory.phi(0) == 0 && DroppingTheory.phi(1) == 0)
    }

    @Test("knows where there is no bound")
    func limits() {
        #expect(DroppingTheory.bound(squares: 1, drop: 0, failure: 0.1) == 0)
        #expect(DroppingTheory.bound(squares: 0, drop: 0.9, failure: 0.1) == 0)
        #expect(DroppingTheory.bound(squares: 1, drop: 1, failure: 0.1) == .infinity)
        #expect(DroppingTheory.bound(squares: 1, drop: 0.9, failure: 0) == .infinity)
        // ln 40 = 3.6888794541139363; Phi(1/2) = 1/2.
        let bound = DroppingTheory.bound(squares: 4, drop: 0.5, failure: 0.05)
        #expect(isClose(bound, 2 * (2 * 3.688_879_454_113_936_3).squareRoot(), 1e-13))
    }
}
