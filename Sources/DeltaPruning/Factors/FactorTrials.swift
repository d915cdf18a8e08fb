/// What a search for a factor tried, in order, and the best of it.
package struct FactorTrials: Sendable, Hashable {
    /// A factor and its loss: less is better; infinity if it was not a number.
    package struct Trial: Sendable, Hashable {
        /// q.
        package let factor: Double
        /// The loss at q.
        package let loss: Double
    }

    /// All evaluations, as they were made; at least one.
    package private(set) var all: [Trial] = []
    private var bestIndex = 0

    /// The least loss; the first of them, if several are equal.
    package var best: Trial { all[bestIndex] }

    init() {}

    /// Notes an evaluation, and gives it back with a loss that compares.
    @discardableResult
    mutating func note(_ factor: Double, loss: Double) -> Trial {
        let trial = Trial(factor: factor, loss: loss.isFinite ? loss : .infinity)
        all.append(trial)
        if trial.loss < best.loss { bestIndex = all.count - 1 }
        return trial
    }
}
