/// Rounding to F16 of values that are kept in F32; not every platform that Swift has runs on has the type.
enum HalfPrecision {
    /// The nearest value that F16 has, ties to even; infinity past 65,504.
    static func rounded(_ value: Float) -> Float {
        guard value.isFinite, value != 0 else { return value }
        guard value.magnitude < 65_520 else { return value < 0 ? -.infinity : .infinity }
        // Ten bits after the leading one; below 2^-14 the last place stays where it is.
        let place = max(Int(value.exponent), -14) - 10
        let unit = Float(sign: .plus, exponent: place, significand: 1)
        return (value / unit).rounded(.toNearestOrEven) * unit
    }
}
