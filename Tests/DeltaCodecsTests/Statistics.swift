import CSiltKernels
import TestSupport

extension SeededGenerator {
    /// A number from 0 to 1.
    mutating func unit() -> Double { Double(next() >> 11) / 0x20_0000_0000_0000 }

    /// Nearly Gaussian: the sum of twelve uniform numbers.
    mutating func gaussian() -> Double {
        var sum: UInt64 = 0
        for _ in 0..<3 {
            let word = next()
            sum += (word & 0xFFFF) + (word >> 16 & 0xFFFF) + (word >> 32 & 0xFFFF) + (word >> 48)
        }
        return Double(sum) / 65_536 - 6
    }

    /// The natural logarithm up to a factor: quotients are right.
    static func log(_ x: Double) -> Double { silt_log2(x) }
}

/// Bits of ideal coders.
enum Entropy {
    /// Bits of all values, each coded by how often it comes.
    static func bits(_ values: some Sequence<some Hashable>) -> Double {
        let counts = values.reduce(into: [:]) { $0[$1, default: 0] += 1 }.values
        let total = Double(counts.reduce(0, +))
        return counts.reduce(0) { $0 - Double($1) * silt_log2(Double($1) / total) }
    }

    /// Bits of a choice of probability p.
    static func binary(_ p: Double) -> Double { -p * silt_log2(p) - (1 - p) * silt_log2(1 - p) }
}
