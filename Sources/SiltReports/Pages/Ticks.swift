/// Round numbers on an axis.
enum Ticks {
    /// About `count` multiples of 1, 2 or 5 times a power of ten that lie in `range`, and the step between them.
    static func linear(_ range: ClosedRange<Double>, count: Int) -> (values: [Double], step: Double) {
        let span = range.upperBound - range.lowerBound
        guard span > 0, span.isFinite, count > 0 else { return ([range.lowerBound], 0) }
        let rough = span / Double(count)
        let exponent = Int(Figures.log10(rough).rounded(.down))
        let unit = Figures.power(exponent)
        let factor = [1.0, 2, 5, 10].first { $0 * unit >= rough * (1 - 1e-9) } ?? 10
        let step = factor * unit
        let (first, last) = (
            (range.lowerBound / step - 1e-9).rounded(.up), (range.upperBound / step + 1e-9).rounded(.down)
        )
        guard last >= first, last - first < 1_000 else { return ([range.lowerBound], step) }
        return (stride(from: first, through: last, by: 1).map { at($0, factor, exponent) }, step)
    }

    /// A power below 1 as a quotient: multiples of 0.1 would drift.
    private static func at(_ multiple: Double, _ factor: Double, _ exponent: Int) -> Double {
        exponent < 0
            ? multiple * factor / Figures.power(-exponent) : multiple * factor * Figures.power(exponent)
    }

    /// Round numbers in `range`, which is above 0, for a logarithmic axis: powers of ten, with 2 and 5 times those where
    /// there is room for `count`; plain steps where it is less than a decade.
    static func logarithmic(_ range: ClosedRange<Double>, count: Int) -> [Double] {
        let decades = Figures.log10(range.upperBound / range.lowerBound)
        guard decades > 0, decades.isFinite else { return [range.lowerBound] }
        guard decades > 0.7 else { return linear(range, count: max(2, count * 2 / 3)).values }
        let first = Int(Figures.log10(range.lowerBound).rounded(.down))
        let last = Int(Figures.log10(range.upperBound).rounded(.up))
        let factors: [Double] = 3 * decades <= Double(count) + 1 ? [1, 2, 5] : [1]
        // Every how many decades, if not each has room.
        let every = max(1, Int((decades / Double(max(1, count))).rounded(.up)))
        var values: [Double] = []
        for exponent in first...last where exponent % every == 0 {
            for factor in factors {
                let value = at(1, factor, exponent)
                if value >= range.lowerBound * (1 - 1e-9), value <= range.upperBound * (1 + 1e-9) {
                    values.append(value)
                }
            }
        }
        return values
    }
}
