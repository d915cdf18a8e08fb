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

    /// Bins that were counted in.
    private var used = 0..<0

    /// Adds a chunk.
    package mutating func add(_ chunk: ChunkMeasure) {
        for index in 256 * chunk.bins.lowerBound..<256 * chunk.bins.upperBound {
            unsafe histogram[index] += UInt64(chunk.histogram[index])
        }
        extend(to: chunk.bins)
        for index in unsafe chunk.scales.indices {
            let scale = unsafe Int(chunk.scales[index])
            if scale == Int(SILT_STILL) {
                stillUnits += 1
            } else {
                scales[min(max(scale + 1_024, 0), 2_047)] += 1
            }
        }
    }

    /// Adds what another tensor of the same width shows.
    package mutating func add(_ other: ResidualStatistics) {
        for index in 256 * other.used.lowerBound..<256 * other.used.upperBound {
            histogram[index] += other.histogram[index]
        }
        extend(to: other.used)
        for index in scales.indices { scales[index] += other.scales[index] }
        stillUnits += other.stillUnits
    }

    private mutating func extend(to bins: Range<Int>) {
        guard !bins.isEmpty else { return }
        used = used.isEmpty ? bins : min(used.lowerBound, bins.lowerBound)..<max(used.upperBound, bins.upperBound)
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
        for bin in used {
            let counts = Array(histogram[256 * bin..<256 * (bin + 1)])
            bits += FrequencyTable.entropy(counts)
            for symbol in 0..<256 where counts[symbol] > 0 {
                bits += Double(counts[symbol]) * Double(ResidualTables.rawBits(symbol: symbol, width: width))
            }
        }
        return bits
    }
}

/// What the kernel saw of one chunk; valid only while it is handed out.
@safe package struct ChunkMeasure {
    /// Counts of 256 symbols for each bin.
    let histogram: UnsafeBufferPointer<UInt32>
    /// The bins that have counts.
    let bins: Range<Int>
    /// The scales of the units (`SILT_STILL` for those that equal the base).
    let scales: UnsafeBufferPointer<Int16>
}
