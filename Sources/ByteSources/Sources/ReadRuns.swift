/// Ranges gathered into few reads.
package enum ReadRuns {
    /// Bytes of a run: enough that a far server's delay is small beside the transfer (Docs/Scale.md).
    package static let limit = 8 << 20
    /// Bytes between two ranges that are rather read than skipped.
    package static let gap = 64 << 10

    /// The runs that cover `ranges`, which are ascending: ranges nearer than `gap` are one run, as long as that has at most `limit`
    /// bytes.
    ///
    /// A range longer than `limit` is a run by itself.
    package static func covering(
        _ ranges: [Range<Int>], gap: Int = ReadRuns.gap, limit: Int = ReadRuns.limit
    ) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for range in ranges where !range.isEmpty {
            if let last = runs.last, range.lowerBound <= last.upperBound + gap,
                max(last.upperBound, range.upperBound) - last.lowerBound <= limit
            {
                runs[runs.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                runs.append(range)
            }
        }
        return runs
    }
}
