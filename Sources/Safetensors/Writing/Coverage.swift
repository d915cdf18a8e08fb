/// Which bytes of a file have come, in whatever order.
struct Coverage {
    /// What has come: ascending, with bytes missing between any two.
    private var parts: [Range<Int>] = []

    /// Takes a range; false, and nothing changes, if some of it came before.
    mutating func insert(_ range: Range<Int>) -> Bool {
        guard !range.isEmpty else { return true }
        let next = firstEnding(after: range.lowerBound)
        guard next == parts.count || parts[next].lowerBound >= range.upperBound else { return false }
        let joinsLeft = next > 0 && parts[next - 1].upperBound == range.lowerBound
        let joinsRight = next < parts.count && parts[next].lowerBound == range.upperBound
        let lower = joinsLeft ? parts[next - 1].lowerBound : range.lowerBound
        let upper = joinsRight ? parts[next].upperBound : range.upperBound
        parts.replaceSubrange(
            (joinsLeft ? next - 1 : next)..<(joinsRight ? next + 1 : next), with: CollectionOfOne(lower..<upper))
        return true
    }

    /// The first bytes of `range` that have not come; nil if all have.
    func gap(in range: Range<Int>) -> Range<Int>? {
        guard !range.isEmpty else { return nil }
        let next = firstEnding(after: range.lowerBound)
        guard next < parts.count else { return range }
        let part = parts[next]
        if part.lowerBound > range.lowerBound { return range.lowerBound..<min(part.lowerBound, range.upperBound) }
        guard part.upperBound < range.upperBound else { return nil }
        let following = next + 1 < parts.count ? parts[next + 1].lowerBound : range.upperBound
        return part.upperBound..<min(following, range.upperBound)
    }

    /// The position of the first part that ends after `offset`.
    private func firstEnding(after offset: Int) -> Int {
        var (low, high) = (0, parts.count)
        while low < high {
            let middle = (low + high) / 2
            if parts[middle].upperBound > offset { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
