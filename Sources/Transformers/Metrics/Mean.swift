/// A mean that is gathered part by part: add the parts in a fixed order, and the bits are the same for any number of workers.
package struct Mean: Sendable, Hashable {
    package private(set) var sum: Double
    package private(set) var count: Int

    package init(sum: Double = 0, count: Int = 0) { (self.sum, self.count) = (sum, count) }

    /// The sum over the count; 0 of nothing.
    package var value: Double { count == 0 ? 0 : sum / Double(count) }

    package static func += (mean: inout Mean, part: Mean) {
        mean.sum += part.sum
        mean.count += part.count
    }
}
