package import TensorTypes

/// Importance-based pruning: the elements of the largest magnitude stay (MP in table 6 of the DAREx paper).
///
/// Magnitudes are compared by the bits of |x|, whose order is that of the values. Elements that are zero never stay, so
/// that a mask may keep fewer than it was asked for; among equal magnitudes the lower index goes first.
package enum Magnitude {
    /// The `count` largest elements of a tensor.
    ///
    /// Linear in the size: two histograms and a pass that marks.
    package static func top(_ count: Int, of values: Span<Float>) -> Bitset {
        var search = MagnitudeSearch(keeping: count)
        search.count(values)
        search.narrow()
        search.refine(values)
        var threshold = search.threshold()
        return threshold.mask(values)
    }

    /// The same share of each row: as many elements as `quota` says, the largest of their row.
    ///
    /// - Parameter values: rows x `columns`, row-major, finite.
    /// - Parameter share: 0 to 1.
    package static func top(share: Double, ofEachRow values: Span<Float>, columns: Int) -> Bitset {
        var mask = Bitset(count: values.count)
        let wanted = quota(share, of: columns)
        var bins = [Int](repeating: 0, count: 1 << RowDigit.widest)
        for start in stride(from: 0, to: columns > 0 ? values.count : 0, by: max(columns, 1)) {
            markRow(values, start..<start + columns, keeping: wanted, into: &mask, bins: &bins)
        }
        return mask
    }

    /// How many of `count` things a share stands for: the nearest integer, but at least one of a share above 0.
    package static func quota(_ share: Double, of count: Int) -> Int {
        guard share > 0, count > 0 else { return 0 }
        return min(max(Int((share * Double(count)).rounded()), 1), count)
    }

    /// The 31 bits of a magnitude in three digits: a row's histograms stay in the first cache, and are cleared quickly.
    private enum RowDigit {
        static let widest = 11
        static let all: [(shift: UInt32, width: Int)] = [(20, 11), (10, 10), (0, 10)]
    }

    /// Marks the `wanted` largest elements in `row`; `bins` is scratch.
    private static func markRow(
        _ values: Span<Float>, _ row: Range<Int>, keeping wanted: Int, into mask: inout Bitset, bins: inout [Int]
    ) {
        var remaining = wanted
        // The digits of the threshold that are known, and which bits they are.
        var (known, knownBits) = (UInt32(0), UInt32(0))
        for digit in RowDigit.all {
            let top = 1 << digit.width - 1
            for bin in 0...top { bins[bin] = 0 }
            for index in row {
                let pattern = magnitudeBits(values[index])
                if pattern & knownBits == known, pattern > 0 {
                    bins[Int(pattern >> digit.shift) & top] += 1
                }
            }
            var bin = top
            while bin > 0, bins[bin] < remaining {
                remaining -= bins[bin]
                bin -= 1
            }
            known |= UInt32(bin) << digit.shift
            knownBits |= UInt32(top) << digit.shift
        }
        // `remaining` elements that equal the threshold stay; if that is zero, fewer than `wanted` are not zero.
        var ties = known == 0 ? 0 : remaining
        for index in row {
            let pattern = magnitudeBits(values[index])
            guard pattern >= known, pattern > 0 else { continue }
            if pattern == known {
                guard ties > 0 else { continue }
                ties -= 1
            }
            mask[index] = true
        }
    }
}

/// The bits of |x|.
@inline(__always) func magnitudeBits(_ value: Float) -> UInt32 { value.bitPattern & 0x7FFF_FFFF }
