internal import TensorTypes

/// Descends the slopes of rescale factors: AdamW with a rate that falls as a cosine, as DAREx's program does it.
///
/// A factor is q = |c| + floor, so that it stays above the floor; c is what moves (`perlayer_opt.py`).
package struct FactorDescent: Sendable {
    /// Steps until the rate is 0, as published.
    package static let publishedSteps = 200
    /// Decay of c, as a share of the rate.
    static let decay = 0.01
    /// The least c to begin with, as a share of the rate: at 0 it would have no direction.
    static let least = 0.01
    private static let (beta1, beta2, epsilon) = (0.9, 0.999, 1e-8)

    private let floor: Double
    /// Steps until the rate is 0.
    package let steps: Int
    /// The rate at the beginning.
    private let rate: Double
    private var coefficients: [Double]
    private var first: [Double]
    private var second: [Double]
    /// Steps that were taken.
    package private(set) var count = 0
    /// beta1 and beta2 to the power of `count`.
    private var powers = (first: 1.0, second: 1.0)

    /// Begins at the factors `start`, or a hundredth of the rate above the floor where they are below that.
    ///
    /// - Parameters:
    ///   - rate: about how far a factor moves in a step at the beginning; DAREx's program has 0.01.
    ///   - steps: until the rate is 0.
    package init(start: [Double], floor: Double, rate: Double, steps: Int = FactorDescent.publishedSteps) {
        precondition(steps > 0)
        self.steps = steps
        (self.floor, self.rate) = (floor, rate)
        coefficients = start.map { max($0 - floor, FactorDescent.least * rate) }
        first = start.map { _ in 0 }
        second = first
    }

    /// The factors q.
    package var factors: [Double] { coefficients.map { abs($0) + floor } }

    /// Takes a step; `slopes` are the loss's with respect to the factors.
    ///
    /// - Precondition: a slope for each factor, and fewer than `steps` steps before.
    package mutating func step(_ slopes: [Double]) {
        precondition(slopes.count == coefficients.count && count < steps)
        let angle = Double.pi * Double(count) / Double(steps)
        let rate = rate * (1 + Elementary.cosine(angle)) / 2
        let (beta1, beta2) = (FactorDescent.beta1, FactorDescent.beta2)
        count += 1
        powers = (powers.first * beta1, powers.second * beta2)
        for (index, slope) in slopes.enumerated() {
            let own = coefficients[index] < 0 ? -slope : slope
            first[index] = beta1 * first[index] + (1 - beta1) * own
            second[index] = beta2 * second[index] + (1 - beta2) * own * own
            let root = (second[index] / (1 - powers.second)).squareRoot()
            coefficients[index] *= 1 - rate * FactorDescent.decay
            coefficients[index] -= rate * first[index] / (1 - powers.first) / (root + FactorDescent.epsilon)
        }
    }
}
