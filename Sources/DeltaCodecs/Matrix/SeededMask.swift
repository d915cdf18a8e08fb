/// Masks that are made again from a seed: an element is dropped if its 32 random bits are below a threshold
/// (Formats/Silt.md, section 12.3).
package enum SeededMask {
    private static let words = 4_294_967_296.0

    /// The share of elements that a threshold drops.
    package static func rate(of threshold: UInt32) -> Double { Double(threshold) / words }

    /// The threshold that drops a share: p 2^32, rounded; 0 for p = 0.
    package static func threshold(for rate: Double) -> UInt32 { UInt32(min(words - 1, (rate * words).rounded())) }
}
