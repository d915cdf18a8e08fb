internal import TensorTypes

/// About how many bits an adaptive coder takes for integers (Formats/Silt.md, section 12.5), and what that means for
/// rounding.
///
/// A row's integers are modelled by the two-sided geometric distribution of their mean magnitude: each unit of magnitude
/// costs the same, and so the best rounding is a dead zone of one width for the whole row.
enum CodeLength {
    /// Bits for the scale of a component and for learning the statistics of its rows.
    static let overhead = 12.0

    /// Bits for `count` integers whose mean magnitude is `mean`.
    static func bits(mean: Double, count: Int) -> Double {
        let ratio = ratio(mean)
        return Double(count) * (Elementary.log2((1 + ratio) / (1 - ratio)) - max(mean, least) * Elementary.log2(ratio))
    }

    /// Bits for each unit of magnitude, where the mean magnitude is `mean`.
    static func slope(mean: Double) -> Double { -Elementary.log2(ratio(mean)) }

    /// A mean below this counts as this; nothing is learnt so exactly.
    private static let least = 0.02

    /// How much rarer a magnitude is than the one below it: t with 2 t / (1 - t^2) = `mean`.
    private static func ratio(_ mean: Double) -> Double {
        let mean = max(mean, least)
        return ((1 + mean * mean).squareRoot() - 1) / mean
    }
}
