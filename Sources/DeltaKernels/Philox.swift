internal import CSiltKernels
package import TensorTypes

/// Seeded masks (Formats/Silt.md, section 12.3).
package enum Philox {
    /// One block of four words.
    package static func block(counter: [UInt32], key: [UInt32]) -> [UInt32] {
        precondition(counter.count == 4 && key.count == 2)
        return unsafe [UInt32](unsafeUninitializedCapacity: 4) { buffer, count in
            guard let start = buffer.baseAddress else { return }
            unsafe silt_philox(counter, key, start)
            count = 4
        }
    }

    /// Fills `words` (one for each 64 positions) with the bits of positions `first` to `first + count - 1`: 1 stays.
    package static func mask(
        seed: UInt64, identity: UInt64, first: UInt64, count: Int, threshold: UInt32,
        into words: UnsafeMutablePointer<UInt64>, level: KernelLevel = .best
    ) {
        unsafe silt_philox_mask(level.rawValue, seed, identity, first, count, threshold, words)
    }

    /// The mask of positions 0 to `count` - 1.
    package static func mask(
        seed: UInt64, identity: UInt64, count: Int, threshold: UInt32, level: KernelLevel = .best
    ) -> Bitset {
        var bits = Bitset(count: count)
        unsafe bits.words.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            unsafe mask(
                seed: seed, identity: identity, first: 0, count: count, threshold: threshold, into: start, level: level)
        }
        return bits
    }
}
