/// What a delta looks like: moments, zeros, the largest magnitude.
///
/// Those of chunks add up. Binary64; bits depend on how a tensor is cut into chunks and on their order, and on nothing else.
package struct DeltaStatistics: Sendable, Hashable {
    /// Elements.
    package private(set) var count = 0
    /// Elements that are 0, of either sign.
    package private(set) var zeros = 0
    /// The arithmetic mean; 0 if there are no elements.
    package private(set) var mean = 0.0
    /// The largest magnitude.
    package private(set) var largest: Float = 0
    /// Sums of the second, third and fourth power of the distance to the mean.
    private var (second, third, fourth) = (0.0, 0.0, 0.0)

    /// The statistics of nothing.
    package init() {}

    /// The statistics of finite values.
    package init(_ values: Span<Float>) {
        guard !values.isEmpty else { return }
        count = values.count
        var sum = 0.0
        for index in values.indices {
            let value = values[index]
            sum += Double(value)
            if value == 0 { zeros += 1 }
            largest = max(largest, value.magnitude)
        }
        mean = sum / Double(count)
        for index in values.indices {
            let distance = Double(values[index]) - mean
            let square = distance * distance
            second += square
            third += square * distance
            fourth += square * square
        }
    }

    /// Adds other elements (Pébay's formulas for central moments, SAND2008-6212).
    package mutating func add(_ other: DeltaStatistics) {
        guard count > 0, other.count > 0 else {
            if count == 0 { self = other }
            return
        }
        let (mine, theirs) = (Double(count), Double(other.count))
        let all = mine + theirs
        let shift = other.mean - mean
        let step = shift / all
        fourth +=
            other.fourth + shift * step * step * step * mine * theirs * (mine * mine - mine * theirs + theirs * theirs)
            + 6 * step * step * (mine * mine * other.second + theirs * theirs * second)
            + 4 * step * (mine * other.third - theirs * third)
        third +=
            other.third + shift * step * step * mine * theirs * (mine - theirs)
            + 3 * step * (mine * other.second - theirs * second)
        second += other.second + shift * step * mine * theirs
        mean += step * theirs
        count += other.count
        zeros += other.zeros
        largest = max(largest, other.largest)
    }

    /// The standard deviation of the population.
    package var deviation: Double { count > 0 ? (second / Double(count)).squareRoot() : 0 }

    /// The share of elements that are exactly 0: 0 to 1.
    package var zeroShare: Double { count > 0 ? Double(zeros) / Double(count) : 0 }

    /// The fourth standardised moment less 3: 0 for a normal distribution, -2 at least; 0 if all elements are equal.
    package var excessKurtosis: Double { second > 0 ? Double(count) * fourth / (second * second) - 3 : 0 }
}
