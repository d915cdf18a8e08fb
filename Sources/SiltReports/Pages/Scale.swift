internal import TensorTypes

/// From values to coordinates, linear or logarithmic.
struct Scale: Sendable {
    /// Which values have a place.
    let range: ClosedRange<Double>
    /// Whether the axis is logarithmic; then the range is above 0.
    let isLogarithmic: Bool
    /// Coordinates of the ends of the range.
    let start: Double, end: Double

    /// Values that axes go to: numbers from files may be anything, and their differences must be numbers too.
    private static func drawable(_ values: [Double]) -> [Double] { values.filter { abs($0) < 1e100 } }

    /// A linear scale around `values` and some room; from 0 on if `fromZero`.
    static func linear(_ values: [Double], from start: Double, to end: Double, fromZero: Bool = false) -> Scale {
        let finite = drawable(values)
        var (low, high) = (finite.min() ?? 0, finite.max() ?? 1)
        if fromZero { (low, high) = (min(0, low), max(0, high)) }
        let room = high > low ? 0.06 * (high - low) : max(abs(high), 1e-9) / 10
        let isZeroLow = fromZero && low == 0
        return Scale(
            range: (isZeroLow ? 0 : low - room)...(high + room), isLogarithmic: false, start: start, end: end)
    }

    /// A logarithmic scale around those of `values` that are above 0, and some room.
    static func logarithmic(_ values: [Double], from start: Double, to end: Double) -> Scale {
        let positive = drawable(values).filter { $0 > 1e-100 }
        let (low, high) = (positive.min() ?? 1, positive.max() ?? 10)
        // A little more than the outermost values, and never nothing.
        let room = max(1.15, 1 + (Figures.log10(high / low)) / 12)
        return Scale(range: (low / room)...(high * room), isLogarithmic: true, start: start, end: end)
    }

    /// The coordinate of `value`; what lies outside the range is moved to its end.
    func callAsFunction(_ value: Double) -> Double {
        guard !value.isNaN else { return start }
        let clamped = min(max(value, range.lowerBound), range.upperBound)
        let share =
            isLogarithmic
            ? Elementary.log2(clamped / range.lowerBound) / Elementary.log2(range.upperBound / range.lowerBound)
            : (clamped - range.lowerBound) / (range.upperBound - range.lowerBound)
        return start + share * (end - start)
    }

    /// Whether `value` has a place.
    func has(_ value: Double) -> Bool { range.contains(value) }

    /// Round values, about `count`, with their words.
    func ticks(_ count: Int, words: (Double) -> String = Figures.plain) -> [(value: Double, words: String)] {
        guard !isLogarithmic else { return Ticks.logarithmic(range, count: count).map { ($0, words($0)) } }
        return Ticks.linear(range, count: count).values.map { ($0, words($0)) }
    }
}
