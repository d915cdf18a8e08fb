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
        return Double(count) * (log2((1 + ratio) / (1 - ratio)) - max(mean, least) * log2(ratio))
    }

    /// Bits for each unit of magnitude, where the mean magnitude is `mean`.
    static func slope(mean: Double) -> Double { -log2(ratio(mean)) }

    /// A mean below this counts as this; nothing is learnt so exactly.
    private static let least = 0.02

    /// How much rarer a magnitude is than the one below it: t with 2 t / (1 - t^2) = `mean`.
    private static func ratio(_ mean: Double) -> Double {
        let mean = max(mean, least)
        return ((1 + mean * mean).squareRoot() - 1) / mean
    }

    /// The binary logarithm of a positive normal number, to 1e-9; without the C library, whose last bit differs between
    /// systems.
    static func log2(_ value: Double) -> Double {
        var (exponent, significand) = (Double(value.exponent), value.significand)
        if significand > 1.414_213_562_373_095_1 {
            significand /= 2
            exponent += 1
        }
        // ln s = 2 artanh z, with |z| < 0.172.
        let z = (significand - 1) / (significand + 1)
        let square = z * z
        var sum = 0.0
        for power in stride(from: 13.0, through: 1, by: -2) { sum = sum * square + 1 / power }
        return exponent + 2 * z * sum * 1.442_695_040_888_963_4
    }
}
