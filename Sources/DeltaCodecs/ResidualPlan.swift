internal import CSiltKernels

/// How to code tensors whose statistics are known: the tables, and what a scale that was measured is in their terms.
package struct ResidualPlan: Sendable {
    /// The tables that the file stores.
    package let tables: ResidualTables
    /// The first bin of the histogram that has a class of its own; those below share class 1.
    package let window: Int

    /// A plan from the tables that it stores and its window.
    package init(tables: ResidualTables, window: Int) {
        self.tables = tables
        self.window = window
    }

    /// Chooses the tables with which tensors that look like `statistics` take the fewest bytes, tables included.
    ///
    /// The window of 31 classes begins where 1 % of the elements lie below. Neighbouring classes share a table where that
    /// is cheaper: an exact search over all partitions, with entropies for costs.
    ///
    /// - Parameter isSample: whether elements and scales may come that the statistics have not seen: then every symbol
    ///   and every code has a frequency.
    package init(width: Int, for statistics: ResidualStatistics, isSample: Bool = false) {
        let bins = ResidualStatistics.bins
        let perBin = (0..<bins).map { statistics.histogram[256 * $0..<256 * ($0 + 1)].reduce(0, +) }
        let total = perBin.reduce(0, +)
        var below: UInt64 = 0
        var window = 0
        while window < bins - 31, (below + perBin[window]) * 100 <= total {
            below += perBin[window]
            window += 1
        }
        self.window = window
        var counts = ResidualPlan.classCounts(statistics, window: window)
        if isSample || statistics.scaleRange.map({ $0.count > 255 }) ?? false {
            // A code has 255 scales. Units beyond them get the last one, and their elements other classes than were counted:
            // every symbol must be there in every class.
            for index in counts.indices {
                for symbol in 0..<ResidualTables.alphabet(width: width) { counts[index][symbol] += 1 }
            }
        }
        var starts: UInt32 = 0
        var classes: [FrequencyTable] = []
        for part in ResidualPlan.partition(counts) {
            starts |= 1 << UInt32(part.lowerBound + 1)
            let sum = counts[part].reduce(into: [UInt64](repeating: 0, count: 256)) { sum, counts in
                for symbol in 0..<256 { sum[symbol] += counts[symbol] }
            }
            classes.append(sum.contains { $0 > 0 } ? FrequencyTable(counts: sum) : .certain(0))
        }
        let lowest = statistics.scaleCounts.first?.scale ?? 0
        let origin = lowest + Int(SILT_BIN_ORIGIN) - window - 1
        var codes = ResidualPlan.codeCounts(statistics, window: window, origin: origin)
        if isSample { for index in codes.indices { codes[index] += 1 } }
        tables = ResidualTables(
            width: width, origin: origin, starts: starts,
            codes: codes.contains { $0 > 0 } ? FrequencyTable(counts: codes) : .certain(0), classes: classes)
    }

    /// The code of a unit whose measured scale is `scale`, in half octaves; 0 for a unit that equals the base.
    package func code(of scale: Int16) -> UInt8 {
        guard scale != Int16(SILT_STILL) else { return 0 }
        return UInt8(ResidualPlan.code(Int(scale), window: window, origin: tables.origin))
    }

    /// The bin of an element is S - 2E + SILT_BIN_ORIGIN and its class 1 + bin - window, so R = S + SILT_BIN_ORIGIN - window.
    private static func code(_ scale: Int, window: Int, origin: Int) -> Int {
        min(max(scale + Int(SILT_BIN_ORIGIN) - window - origin, 1), 255)
    }

    private static func codeCounts(_ statistics: ResidualStatistics, window: Int, origin: Int) -> [UInt64] {
        var counts = [UInt64](repeating: 0, count: 256)
        counts[0] = statistics.stillUnits
        for (scale, count) in statistics.scaleCounts { counts[code(scale, window: window, origin: origin)] += count }
        return counts
    }

    /// Counts of the symbols of classes 1 to 31.
    private static func classCounts(_ statistics: ResidualStatistics, window: Int) -> [[UInt64]] {
        var counts = [[UInt64]](repeating: [UInt64](repeating: 0, count: 256), count: 31)
        for bin in 0..<ResidualStatistics.bins {
            let index = min(max(bin - window, 0), 30)
            for symbol in 0..<256 { counts[index][symbol] += statistics.histogram[256 * bin + symbol] }
        }
        return counts
    }

    /// Cuts the classes into runs that share a table.
    private static func partition(_ counts: [[UInt64]]) -> [Range<Int>] {
        let n = counts.count
        var best = [Double](repeating: .infinity, count: n + 1)
        var from = [Int](repeating: 0, count: n + 1)
        best[0] = 0
        var merged = [UInt64](repeating: 0, count: 256)
        for start in 0..<n {
            for symbol in 0..<256 { merged[symbol] = 0 }
            var last = 0
            var entropy = 0.0
            for end in start + 1...n {
                let added = counts[end - 1]
                if let top = added.lastIndex(where: { $0 > 0 }) {
                    last = max(last, top)
                    for symbol in 0...top { merged[symbol] += added[symbol] }
                    entropy = FrequencyTable.entropy(merged, upTo: last)
                }
                // A stored frequency takes about 4 bits.
                let cost = best[start] + entropy + Double(12 + 4 * last)
                if cost < best[end] { (best[end], from[end]) = (cost, start) }
            }
        }
        var parts: [Range<Int>] = []
        var end = n
        while end > 0 {
            parts.insert(from[end]..<end, at: 0)
            end = from[end]
        }
        return parts
    }

    /// Bits that a tensor with these statistics takes under this plan, the tables not counted: codes, symbols, raw bits.
    package func bits(for statistics: ResidualStatistics) -> Double {
        var bits = tables.codes.bits(
            for: ResidualPlan.codeCounts(statistics, window: window, origin: tables.origin))
        let rowOfClass = tables.rowOfClass
        for (index, counts) in ResidualPlan.classCounts(statistics, window: window).enumerated() {
            bits += tables.classes[Int(rowOfClass[index + 1]) - 1].bits(for: counts)
            for symbol in 0..<256 where counts[symbol] > 0 {
                bits += Double(counts[symbol]) * Double(ResidualTables.rawBits(symbol: symbol, width: tables.width))
            }
        }
        return bits
    }
}

extension FrequencyTable {
    /// Bits that symbols with these counts take under this table.
    ///
    /// A symbol that the table lacks counts 13 bits: such a plan is not used, and the estimate only ranks.
    package func bits(for counts: [UInt64]) -> Double {
        var bits = 0.0
        for (symbol, count) in counts.enumerated() where count > 0 {
            let frequency = frequencies[symbol]
            bits += Double(count) * (frequency == 0 ? 13 : 12 - silt_log2(Double(frequency)))
        }
        return bits
    }
}
