import DeltaPruning
import TensorTypes
import Testing

@Suite("The search over many factors")
struct CoordinateDescentTests {
    private struct Stop: Error {}

    /// A quadratic whose factors act on each other a little.
    private static let target = [0.5, 2, 1, 1.3]

    private static func loss(_ factors: [Double]) -> Double {
        var (sum, shared) = (0.0, 0.0)
        for (factor, target) in zip(factors, target) {
            sum += (factor - target) * (factor - target)
            shared += factor - target
        }
        return sum + 0.1 * shared * shared
    }

    /// A search that keeps its own state, as a caller would.
    private func search(_ descent: CoordinateDescent, order: [Int]) -> (CoordinateDescent.Result, [Double], [Int]) {
        var current = [Double](repeating: 1, count: 4)
        var visited: [Int] = []
        let result = descent.search(
            order: order, factors: current, loss: CoordinateDescentTests.loss(current),
            loss: { index, factor in
                visited.append(index)
                var trial = current
                trial[index] = factor
                return CoordinateDescentTests.loss(trial)
            }, keep: { index, factor in current[index] = factor })
        return (result, current, visited)
    }

    @Test("comes close to the minimum of a quadratic")
    func quadratic() throws {
        let descent = try CoordinateDescent(
            multipliers: [0.8, 0.9, 0.98, 1.02, 1.1, 1.25], sweeps: 50, evaluations: 5_000)
        let (result, current, visited) = search(descent, order: [3, 1, 0, 2])
        for (factor, target) in zip(result.factors, CoordinateDescentTests.target) {
            #expect(isClose(factor, target, 0.03))
        }
        #expect(result.factors == current && result.loss == CoordinateDescentTests.loss(current))
        #expect(result.evaluations == visited.count && visited.count < 5_000)
        #expect(result.improvements >= 6)
        #expect(visited.prefix(7) == [3, 3, 3, 3, 3, 3, 1])
    }

    @Test("keeps to its budget, its sweeps and its order")
    func budget() throws {
        let small = search(try CoordinateDescent(sweeps: 9, evaluations: 6), order: [1, 0])
        #expect(small.2 == [1, 1, 1, 1, 0, 0] && small.0.evaluations == 6)
        #expect(small.0.loss <= CoordinateDescentTests.loss([1, 1, 1, 1]))
        let one = search(try CoordinateDescent(sweeps: 1, evaluations: 100), order: [0])
        #expect(one.2.count == 4 && one.0.factors == [0.8, 1, 1, 1] && one.0.improvements == 1)
        // Factor 2 is right: the first sweep is the last.
        let none = search(try CoordinateDescent(sweeps: 9, evaluations: 100), order: [])
        #expect(none.2.isEmpty && none.0.factors == [1, 1, 1, 1])
        let still = try CoordinateDescent(sweeps: 9, evaluations: 100).search(
            order: [0, 1], factors: [1, 1], loss: 0, loss: { _, _ in 0 }, keep: { _, _ in })
        #expect(still.evaluations == 8 && still.improvements == 0 && still.factors == [1, 1])
    }

    @Test("keeps nothing that is no number, and passes errors on")
    func oddLosses() throws {
        let descent = try CoordinateDescent(evaluations: 100)
        let odd = descent.search(
            order: [0], factors: [1], loss: .nan, loss: { _, factor in factor > 1 ? .nan : -.infinity },
            keep: { _, _ in })
        #expect(odd.factors == [1] && odd.loss == .infinity)
        let better = descent.search(
            order: [0], factors: [1], loss: .nan, loss: { _, factor in factor > 1 ? .nan : factor }, keep: { _, _ in })
        #expect(better.factors == [0.8] && better.loss == 0.8)
        #expect(throws: Stop.self) {
            try descent.search(
                order: [0], factors: [1], loss: 1, loss: { _, _ throws(Stop) in throw Stop() },
                keep: { _, _ throws(Stop) in })
        }
        #expect(throws: SiltError.self) { try CoordinateDescent(multipliers: [0], evaluations: 1) }
        #expect(throws: SiltError.self) { try CoordinateDescent(sweeps: -1, evaluations: 1) }
        #expect(throws: SiltError.self) { try CoordinateDescent(evaluations: -1) }
    }
}
