internal import CSiltKernels

/// What a tensor's residual looks like, gathered chunk by chunk in the first pass: how often each symbol comes at each
/// distance R - 2E, and how often each scale R.
package struct ResidualStatistics: Sendable {
    /// Distances that are told apart; those beyond share the outer bins.
    package static let bins = Int(SILT_BINS)
    /// Counts of 256 symbols for each distance.
    package private(set) var histogram = [UInt64](repeating: 0, count: 256 * bins)
    /// How often each scale comes, by R + 1,024.
    private var scales = [UInt64](repeating: 0, count: 2_048)
    /// Units that equal the base.
    package private(set) var stillUnits: UInt64 = 0

    package init() {}

    /// Adds a chunk: its histogram and the scales of its units (`SILT_STILL` for those that equal the base).
    package mutating func add(histogram chunk: UnsafeBufferPointer<UInt32>, scales units: UnsafeBufferPointer<Int16>) {
        for index in 0..<min(chunk.count, histogram.count) where unsafe chunk[index] != 0 {
            unsafe histogram[index] += UInt64(chunk[index])
        }
        for index in units.indices {
            let scale = unsafe Int(units[index])
            if scale == Int(SILT_STILL) {
                stillUnits += 1
            } else {
                scales[min(max(scale + 1_024, 0), 2_047)] += 1
            }
        }
    }

    /// Adds what another tensor of the same width shows.
    package mutating func add(_ other: ResidualStatistics) {
        for index in histogram.indices { histogram[index] += other.histogram[index] }
        for index in scales.indices { scales[index] += other.scales[index] }
        stillUnits += other.stillUnits
    }

    /// The smallest and the largest scale; nil if nothing moved.
    var scaleRange: ClosedRange<Int>? {
        guard let low = scales.firstIndex(where: { $0 > 0 }), let high = scales.lastIndex(where: { $0 > 0 }) else {
            return nil
        }
        return low - 1_024...high - 1_024
    }

    /// How often each scale comes.
    package var scaleCounts: [(scale: Int, count: UInt64)] {
        scales.indices.filter { scales[$0] > 0 }.map { ($0 - 1_024, scales[$0]) }
    }
}

extension ResidualStatistics {
    /// Bits that the residual takes with ideal tables: symbols by distance, raw bits, scales.
    ///
    /// For tensors that share tables.
    package func idealBits(width: Int) -> Double {
        var bits = FrequencyTable.entropy(scaleCounts.map(\.count) + [stillUnits])
        for bin in 0..<ResidualStatistics.bins {
            let counts = Array(histogram[256 * bin..<256 * (bin + 1)])
            bits += FrequencyTable.entropy(counts)
            for symbol in 0..<256 where counts[symbol] > 0 {
                bits += Double(counts[symbol]) * Double(ResidualTables.rawBits(symbol: symbol, width: width))
            }
        }
        return bits
    }
}
