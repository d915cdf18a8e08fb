internal import TensorTypes

/// What dropping elements at random and dividing the others by q does to one output of a linear layer.
///
/// With c_j = delta_j x_j, S the sum of c_j and Q the sum of their squares, the error is the sum of c_j (1 - k_j / q),
/// where k_j is 1 with probability 1 - p and else 0 (DAREx paper, appendix E). DARE is q = 1 - p.
package enum DroppingTheory {
    /// Phi(p) = (1 - 2p) / ln((1 - p) / p), at most 1/2: how much flatter than a fair coin a biased one is.
    package static func phi(_ drop: Double) -> Double {
        guard drop > 0, drop < 1 else { return 0 }
        let distance = 1 - 2 * drop
        // ln((1 - p) / p) = 2 artanh(1 - 2p); the quotient itself is 0 / 0 at p = 1/2.
        guard distance.magnitude > 0.1 else {
            return distance == 0 ? 0.5 : distance / (2 * Elementary.artanh(distance))
        }
        return distance / (Elementary.log(1 - drop) - Elementary.log(drop))
    }

    /// The mean of the error of an output whose c_j add up to `sum`.
    package static func bias(sum: Double, factor: Double, drop: Double) -> Double {
        (1 - (1 - drop) / factor) * sum
    }

    /// The variance of the error of an output whose squares of c_j add up to `squares`.
    package static func variance(squares: Double, factor: Double, drop: Double) -> Double {
        drop * (1 - drop) / (factor * factor) * squares
    }

    /// A bound of the error of DARE that fails with probability `failure` at most (theorem 3.1 in the form of equation
    /// 8 of appendix E).
    ///
    /// - Parameter squares: Q, which is n (c̄^2 + sigma^2) in the paper's terms.
    /// - Returns: infinity where there is no bound.
    package static func bound(squares: Double, drop: Double, failure: Double) -> Double {
        guard drop > 0, squares > 0 else { return 0 }
        guard drop < 1, failure > 0 else { return .infinity }
        let logarithm = Elementary.log(2 / min(failure, 1))
        return (phi(drop) * squares * logarithm).squareRoot() / (1 - drop)
    }
}
