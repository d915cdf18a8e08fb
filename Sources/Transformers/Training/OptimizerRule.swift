/// How an optimizer moves parameters: Adam with decoupled decay towards zero (AdamW), and with a pull towards the base (AdamR).
///
/// With the rate r, the moments m and v after step t, and v̂ = v / (1 - beta2^t):
///
///     theta <- theta - r pull / s (theta - base)         L2, or r pull / s sign(theta - base) for L1
///     theta <- theta - r decay theta
///     theta <- theta - r / (1 - beta1^t) m / (sqrt(v̂) + epsilon)
///
/// s is the root of the mean of v̂ over all entries of all parameters (AdamR as published: Algorithm 1 of DAREx), or 1 (the plain
/// decoupled pull). A mean of 0 counts as s = 1.
package struct OptimizerRule: Sendable, Hashable {
    /// The distance to the base that the pull shortens.
    package enum Norm: Sendable, Hashable {
        /// In proportion to the distance.
        case l2
        /// By the same amount whatever the distance.
        case l1
    }

    package var beta1: Float = 0.9
    package var beta2: Float = 0.999
    package var epsilon: Float = 1e-8
    /// Decay towards zero.
    package var decay: Double = 0
    /// Pull towards the base.
    package var pull: Double = 0
    package var norm = Norm.l2
    /// Whether the pull is divided by the root of the mean second moment.
    package var isPullScaled = true

    /// Adam.
    package init() {}

    /// What one step needs to know besides the moments.
    ///
    /// - Parameters:
    ///   - step: from 1.
    ///   - rate: the step's learning rate.
    ///   - secondMoment: the mean of v over all entries, not corrected for its bias.
    package func step(_ step: Int, rate: Double, secondMoment: Double) -> OptimizerStep {
        let (root1, root2) = (correction(beta1, step), correction(beta2, step))
        let mean = (secondMoment / root2).squareRoot()
        let scale = isPullScaled && mean > 0 ? mean : 1
        return OptimizerStep(
            pull: Float(rate * pull / scale), isSign: norm == .l1, decay: Float(rate * decay),
            rate: Float(rate / root1), root: Float(root2.squareRoot()), epsilon: epsilon)
    }

    /// 1 - beta^step.
    private func correction(_ beta: Float, _ step: Int) -> Double {
        // A product a step would do; squares take as many as the step has bits.
        var (power, square, rest) = (1.0, Double(beta), step)
        while rest > 0 {
            if rest & 1 == 1 { power *= square }
            square *= square
            rest >>= 1
        }
        return 1 - power
    }
}

/// The numbers of one step of `OptimizerRule`.
package struct OptimizerStep: Sendable, Hashable {
    /// What the distance to the base is multiplied by.
    package let pull: Float
    let isSign: Bool
    let decay: Float
    package let rate: Float
    let root: Float
    let epsilon: Float
}
