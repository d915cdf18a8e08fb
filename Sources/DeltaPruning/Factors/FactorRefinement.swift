package import TensorTypes

/// A search for the factor of least loss around one that is known, on a logarithmic scale.
///
/// First a geometric grid around the start; then, between the neighbours of the best point, parabolas through the three,
/// and golden sections where those do not narrow the bracket (as in Brent 1973, chapter 5). Where noise hides the minimum
/// it stops somewhere on the floor; the start is among what it compares, so that nothing worse than it comes back.
package struct FactorRefinement: Sendable, Hashable {
    /// Where to start.
    package let start: Double
    /// Multiples of the start to try first.
    package let multipliers: [Double]
    /// The relative width of the bracket at which the search ends.
    package let width: Double
    /// Evaluations at most, that of the start among them.
    package let evaluations: Int

    /// Multiples that find a minimum which is near, and one that is two times further up.
    package static let usualMultipliers = [0.7, 0.85, 1.2, 1.5, 2, 3]
    /// Steps past the ends of the grid, while the loss still falls there.
    private static let mostSteps = 6
    private static let golden = 0.381_966_011_250_105_1

    /// A search around `start`.
    package init(
        start: Double, multipliers: [Double] = usualMultipliers, width: Double = 0.01, evaluations: Int = 24
    ) throws(SiltError) {
        guard start.isNormal, start > 0, multipliers.allSatisfy({ 1e-6...1e6 ~= $0 }) else {
            throw SiltError(
                .usage, "a search around \(start) times \(multipliers) is no search",
                advice: "give a start above 0 and multipliers between 1e-6 and 1e6")
        }
        guard 1e-9...1 ~= width, evaluations >= 1 else {
            throw SiltError(
                .usage, "a search to a width of \(width) in \(evaluations) evaluations is no search",
                advice: "give a width above 0, at most 1, and at least 1 evaluation")
        }
        self.start = start
        self.multipliers = multipliers
        self.width = width
        self.evaluations = evaluations
    }

    /// Searches; a loss that is not finite is worse than any other.
    package func search<Failure: Error>(
        _ loss: (_ factor: Double) throws(Failure) -> Double
    ) throws(Failure) -> FactorTrials {
        var trials = FactorTrials()
        trials.note(start, loss: try loss(start))
        for multiplier in multipliers where trials.all.count < evaluations {
            let factor = start * multiplier
            guard factor.isNormal, !trials.all.contains(where: { $0.factor == factor }) else { continue }
            trials.note(factor, loss: try loss(factor))
        }
        var (steps, previous) = (0, Double.infinity)
        while trials.all.count < evaluations, trials.best.loss.isFinite {
            let sorted = trials.all.sorted { $0.factor < $1.factor }
            guard let index = sorted.firstIndex(where: { $0.factor == trials.best.factor }) else { break }
            let factor: Double
            if index == 0 || index == sorted.count - 1 {
                steps += 1
                guard steps <= FactorRefinement.mostSteps else { break }
                factor = FactorRefinement.beyond(sorted, index)
            } else {
                let bracket = Bracket(sorted[index - 1], sorted[index], sorted[index + 1])
                guard bracket.width > Elementary.log(1 + width) else { break }
                // A bracket that lost less than a third to the last point is not to be trusted to parabolas.
                factor = bracket.next(least: width / 4, trustsParabola: bracket.width < 0.67 * previous)
                previous = bracket.width
            }
            guard factor.isNormal, !sorted.contains(where: { $0.factor == factor }) else { break }
            trials.note(factor, loss: try loss(factor))
        }
        return trials
    }

    /// A point past the end `index` of the points, twice as far from it as its neighbour, within limits.
    private static func beyond(_ sorted: [FactorTrials.Trial], _ index: Int) -> Double {
        let end = sorted[index].factor
        guard index > 0 else {
            let gap = sorted.count > 1 ? sorted[1].factor / end : 1
            return end / min(max(gap * gap, 1.2), 4)
        }
        let gap = end / sorted[index - 1].factor
        return end * min(max(gap * gap, 1.2), 4)
    }

    /// Three points of which the middle one is the lowest; distances are logarithms of ratios to it.
    private struct Bracket {
        let centre: FactorTrials.Trial
        let (left, right): (Double, Double)
        let (leftRise, rightRise): (Double, Double)

        init(_ low: FactorTrials.Trial, _ centre: FactorTrials.Trial, _ high: FactorTrials.Trial) {
            self.centre = centre
            left = Elementary.log(centre.factor / low.factor)
            right = Elementary.log(high.factor / centre.factor)
            leftRise = low.loss - centre.loss
            rightRise = high.loss - centre.loss
        }

        var width: Double { left + right }

        /// The next factor to try, at least `least` from the middle.
        func next(least: Double, trustsParabola: Bool) -> Double {
            // The parabola through (-left, leftRise), (0, 0), (right, rightRise) has its vertex here.
            let denominator = 2 * (left * rightRise + right * leftRise)
            var offset = (right * right * leftRise - left * left * rightRise) / denominator
            if !trustsParabola || !offset.isFinite || offset <= -left || offset >= right {
                offset = right > left ? FactorRefinement.golden * right : -FactorRefinement.golden * left
            } else if offset.magnitude < least {
                // The middle is the vertex: a point just beside it, on the wider side, closes the bracket.
                offset = right > left ? min(least, right / 2) : -min(least, left / 2)
            }
            return centre.factor * Elementary.exp(offset)
        }
    }
}
