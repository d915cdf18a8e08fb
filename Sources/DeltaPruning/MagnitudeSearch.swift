/// The search for the k-th largest magnitude among the elements of one tensor or of many, which need not be in memory
/// together.
///
/// Every tensor is visited three times: `count` all, `narrow`, `refine` with all, then let the `threshold` mask each of
/// them. Workers may count apart, `merge`, and refine copies of the narrowed search, to be merged again: counts add up, so
/// the result does not depend on who counted what. 768 KB.
package struct MagnitudeSearch: Sendable {
    /// Bits of the magnitude that the first visit leaves to the second.
    private static let lowBits = UInt32(15)

    private let wanted: Int
    /// How often each value of the upper 16 bits comes, among elements that are not zero.
    private var upper = [UInt64](repeating: 0, count: 1 << 16)
    /// How often each value of the lower 15 bits comes, among elements whose upper bits are `bucket`.
    private var lower = [UInt64](repeating: 0, count: 1 << 15)
    /// The upper bits of the threshold; nil if all elements stay that are not zero.
    private var bucket: UInt32?
    /// Elements to keep among those in the bucket.
    private var wantedInBucket: UInt64 = 0

    /// A search for the `wanted` largest elements; 0 or more.
    package init(keeping wanted: Int) { self.wanted = max(wanted, 0) }

    /// The first visit.
    package mutating func count(_ values: Span<Float>) {
        for index in values.indices {
            let pattern = magnitudeBits(values[index])
            if pattern > 0 { upper[Int(pattern >> MagnitudeSearch.lowBits)] += 1 }
        }
    }

    /// Ends the first visit.
    package mutating func narrow() {
        var remaining = UInt64(wanted)
        guard upper.reduce(0, +) > remaining else { return }
        // There are more than `remaining`, so this ends.
        var bin = upper.count - 1
        while upper[bin] < remaining || upper[bin] == 0 {
            remaining -= upper[bin]
            bin -= 1
        }
        bucket = UInt32(bin)
        wantedInBucket = remaining
    }

    /// The second visit.
    package mutating func refine(_ values: Span<Float>) {
        guard let bucket else { return }
        let mask = UInt32(lower.count - 1)
        for index in values.indices {
            let pattern = magnitudeBits(values[index])
            if pattern >> MagnitudeSearch.lowBits == bucket, pattern > 0 { lower[Int(pattern & mask)] += 1 }
        }
    }

    /// Adds what another search of the same kind counted in the same visit.
    package mutating func merge(_ other: MagnitudeSearch) {
        if bucket == nil {
            for bin in upper.indices { upper[bin] += other.upper[bin] }
        } else {
            for bin in lower.indices { lower[bin] += other.lower[bin] }
        }
    }

    /// Ends the second visit.
    package func threshold() -> MagnitudeThreshold {
        guard let bucket else { return MagnitudeThreshold(pattern: 0, ties: 0) }
        var remaining = wantedInBucket
        var bin = lower.count - 1
        while bin > 0, lower[bin] < remaining {
            remaining -= lower[bin]
            bin -= 1
        }
        return MagnitudeThreshold(pattern: bucket << MagnitudeSearch.lowBits | UInt32(bin), ties: remaining)
    }
}
