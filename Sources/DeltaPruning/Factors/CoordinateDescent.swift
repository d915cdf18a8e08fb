package import TensorTypes

/// A search over many factors, one at a time: each is multiplied by a few numbers, and what lowers the loss stays.
package struct CoordinateDescent: Sendable, Hashable {
    /// What a search found.
    package struct Result: Sendable, Hashable {
        /// The factors, those that were not visited among them.
        package var factors: [Double]
        /// The loss at them.
        package var loss: Double
        /// Evaluations that were made.
        package var evaluations = 0
        /// Changes that stayed.
        package var improvements = 0
    }

    /// What a factor is multiplied by.
    package let multipliers: [Double]
    /// Visits of each factor at most; a sweep that improves nothing is the last.
    package let sweeps: Int
    /// Evaluations at most.
    package let evaluations: Int

    /// Multipliers for factors that are nearly right.
    package static let usualMultipliers = [0.8, 0.9, 1.1, 1.25]

    /// A search within a budget.
    package init(
        multipliers: [Double] = usualMultipliers, sweeps: Int = 1, evaluations: Int
    ) throws(SiltError) {
        guard multipliers.allSatisfy({ $0 > 0 && $0.isFinite }), sweeps >= 0, evaluations >= 0 else {
            throw SiltError(
                .usage,
                "\(sweeps) sweeps of multipliers \(multipliers) in \(evaluations) evaluations do not make a search",
                advice: "give multipliers above 0, and neither sweeps nor evaluations below 0")
        }
        self.multipliers = multipliers
        self.sweeps = sweeps
        self.evaluations = evaluations
    }

    /// Searches; a loss that is not finite never stays.
    ///
    /// - Parameter order: the factors to visit, by index, the most promising first: a budget may end before the others.
    /// - Parameter factors: where to start.
    /// - Parameter start: the loss there.
    /// - Parameter loss: the loss with one factor replaced, all others as they were kept; the replacement is undone.
    /// - Parameter keep: told of every replacement that stays, before the next evaluation.
    package func search<Failure: Error>(
        order: [Int], factors: [Double], loss start: Double,
        loss: (_ index: Int, _ factor: Double) throws(Failure) -> Double,
        keep: (_ index: Int, _ factor: Double) throws(Failure) -> Void
    ) throws(Failure) -> Result {
        var result = Result(factors: factors, loss: start.isFinite ? start : .infinity)
        for _ in 0..<sweeps {
            let before = result.improvements
            for index in order {
                let factor = result.factors[index]
                var best: Double?
                for multiplier in multipliers where result.evaluations < evaluations {
                    let trial = factor * multiplier
                    guard trial.isNormal, trial != factor else { continue }
                    result.evaluations += 1
                    let value = try loss(index, trial)
                    guard value.isFinite, value < result.loss else { continue }
                    (best, result.loss) = (trial, value)
                }
                guard let best else { continue }
                result.factors[index] = best
                result.improvements += 1
                try keep(index, best)
            }
            guard result.improvements > before, result.evaluations < evaluations else { break }
        }
        return result
    }
}
