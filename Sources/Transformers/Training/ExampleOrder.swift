internal import DeltaKernels

/// The order in which training meets its examples: a new one each epoch, a function of the seed, the epoch and nothing else.
///
/// A shuffle of Fisher and Yates from the end: element i changes places with element floor(w (i + 1) / 2^64), where w is made of
/// the first two words of the Philox4x32-10 block with the key `seed` and the counter (i, i >> 32, epoch, `purpose`).
package struct ExampleOrder: Sendable, Hashable {
    /// The last word of the counter, so that no other use of the seed meets the same numbers.
    static let purpose: UInt32 = 0x6F72_6472

    package let count: Int
    package let seed: UInt64

    package init(count: Int, seed: UInt64) { (self.count, self.seed) = (count, seed) }

    /// All examples in the order of the epoch, from 0.
    package func examples(epoch: Int) -> [Int] {
        var order = Array(0..<count)
        let key = [UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)]
        for index in stride(from: count - 1, to: 0, by: -1) {
            let block = Philox.block(
                counter: [
                    UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32),
                    UInt32(truncatingIfNeeded: epoch), ExampleOrder.purpose,
                ], key: key)
            let word = UInt64(block[0]) << 32 | UInt64(block[1])
            order.swapAt(index, Int(word.multipliedFullWidth(by: UInt64(index + 1)).high))
        }
        return order
    }
}
