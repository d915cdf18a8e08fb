/// How many elements of a delta have which magnitude: a bin for each power of two, zeros apart.
package struct DeltaHistogram: Sendable, Hashable {
    /// Exponent of slot 0, which has the subnormal numbers.
    package static let lowest = -127

    /// The exponent e of the first bin: it counts elements of 2^e <= |delta| < 2^(e + 1).
    ///
    /// 0 if there are no bins.
    package private(set) var firstExponent = 0
    /// Elements of each bin, from the first that has any to the last.
    package private(set) var counts: [Int] = []
    /// Elements that are 0, of either sign.
    package private(set) var zeros = 0
    /// Elements that are infinite or no number.
    package private(set) var nonFinite = 0

    /// The histogram of nothing.
    package init() {}

    /// From counts by biased exponent, as a Float has it, and of zeros.
    package init(slots: [Int], zeros: Int) {
        precondition(slots.count == DeltaCounter.slots)
        self.zeros = zeros
        nonFinite = slots[DeltaCounter.slots - 1]
        let finite = slots.dropLast()
        guard let first = finite.firstIndex(where: { $0 > 0 }), let last = finite.lastIndex(where: { $0 > 0 }) else {
            return
        }
        firstExponent = first + DeltaHistogram.lowest
        counts = Array(finite[first...last])
    }

    /// Elements that are neither 0 nor infinite.
    package var nonZeros: Int { counts.reduce(0, +) }

    /// All elements.
    package var elements: Int { zeros + nonZeros + nonFinite }

    /// The exponents of the bins.
    package var exponents: Range<Int> { firstExponent..<firstExponent + counts.count }

    /// Elements of the bin of exponent `exponent`.
    package subscript(exponent: Int) -> Int {
        exponents.contains(exponent) ? counts[exponent - firstExponent] : 0
    }

    /// Adds the elements of another delta.
    package mutating func add(_ other: DeltaHistogram) {
        zeros += other.zeros
        nonFinite += other.nonFinite
        guard !other.counts.isEmpty else { return }
        guard !counts.isEmpty else {
            (firstExponent, counts) = (other.firstExponent, other.counts)
            return
        }
        let range =
            min(firstExponent, other.firstExponent)..<max(exponents.upperBound, other.exponents.upperBound)
        let sums = range.map { self[$0] + other[$0] }
        (firstExponent, counts) = (range.lowerBound, sums)
    }
}
