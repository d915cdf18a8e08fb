package import TensorTypes

/// The DAREx paper's search for a factor in two stages: a grid, and a finer one around the best of it.
///
/// Each stage ends early after more than 3 evaluations in a row that are worse than its best; one that is as good begins
/// the count anew. The best q lies close to 1 - p and is sharp: a coarse grid can miss it, and `FactorRefinement` does not
/// need one.
package struct FactorGrid: Sendable, Hashable {
    /// The first factor.
    package let lower: Double
    /// The last, but for what is left of a step.
    package let upper: Double
    /// The step of the coarse stage.
    package let step: Double
    /// The step of the fine stage, in steps of the coarse one.
    package let decay: Double

    /// More points than this are a mistake.
    private static let mostPoints = 10_000.0
    /// Evaluations in a row that may be worse.
    private static let patience = 3

    /// A search over factors above 0.
    package init(lower: Double, upper: Double, step: Double, decay: Double = 0.1) throws(SiltError) {
        guard lower > 0, lower <= upper, upper.isFinite, step > 0, step.isFinite else {
            throw SiltError(
                .usage, "a search over factors from \(lower) to \(upper) in steps of \(step) is no search",
                advice: "give 0 < lower <= upper and a step above 0")
        }
        guard decay > 0, decay <= 1 else {
            throw SiltError(.usage, "a finer step of \(decay) steps", advice: "give a decay above 0, at most 1")
        }
        guard (upper - lower) / step < FactorGrid.mostPoints, 2 / decay < FactorGrid.mostPoints,
            lower + step * decay > lower
        else {
            throw SiltError(
                .usage, "steps of \(step), refined by \(decay), are too many from \(lower) to \(upper)",
                advice: "take larger steps")
        }
        self.lower = lower
        self.upper = upper
        self.step = step
        self.decay = decay
    }

    /// Searches; a loss that is not finite is worse than any other.
    package func search<Failure: Error>(
        _ loss: (_ factor: Double) throws(Failure) -> Double
    ) throws(Failure) -> FactorTrials {
        var trials = FactorTrials()
        try scan(from: lower, to: upper + step, step: step, &trials, loss)
        // As for the paper's encoders; for decoders the published code begins at 0 where this begins above `lower`.
        let centre = trials.best.factor
        try scan(
            from: max(lower + step * decay, centre - step * (1 - decay)), to: centre + step, step: step * decay,
            &trials, loss)
        return trials
    }

    /// One stage; points are those of NumPy's arange: the end is not among them.
    private func scan<Failure: Error>(
        from start: Double, to end: Double, step: Double, _ trials: inout FactorTrials,
        _ loss: (_ factor: Double) throws(Failure) -> Double
    ) throws(Failure) {
        let count = Int(((end - start) / step).rounded(.up))
        let increment = (start + step) - start
        var best = Double.infinity
        var worse = 0
        for index in 0..<max(count, 0) {
            let factor = start + Double(index) * increment
            // A point of the coarse stage, but for rounding, has its loss already.
            let known = trials.all.first { ($0.factor - factor).magnitude <= 1e-9 * factor }
            let trial: FactorTrials.Trial
            if let known { trial = known } else { trial = trials.note(factor, loss: try loss(factor)) }
            if trial.loss.isFinite, trial.loss <= best {
                best = trial.loss
                worse = 0
            } else {
                worse += 1
                guard worse <= FactorGrid.patience else { return }
            }
        }
    }
}
