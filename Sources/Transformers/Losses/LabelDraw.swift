internal import DeltaKernels

/// Random numbers with which a model draws labels: functions of seed, draw and row alone, however the rows are batched.
package struct LabelDraw: Sendable {
    private let seed: UInt64
    private let draw: UInt32
    /// A number for each row of the logits that no other row of the data set has.
    let rows: [UInt64]

    /// Numbers for the logits of a batch.
    ///
    /// - Parameters:
    ///   - draw: which of several draws.
    ///   - isCausal: whether each token has logits, or each sequence.
    package init(seed: UInt64, draw: Int = 0, _ batch: TokenBatch, isCausal: Bool) {
        self.seed = seed
        self.draw = UInt32(truncatingIfNeeded: draw)
        rows = (0..<batch.sequences).flatMap { sequence -> [UInt64] in
            let example = UInt64(batch.examples.lowerBound + sequence) << 32
            guard isCausal else { return [example] }
            return (batch.offsets[sequence]..<batch.offsets[sequence + 1]).map {
                example | UInt64(UInt32(bitPattern: batch.positions[$0]))
            }
        }
    }

    /// 128 bits of even chance: four words.
    ///
    /// - Parameter block: which 128 of as many as are wanted.
    func signs(_ row: UInt64, block: Int) -> [UInt32] { words(row, UInt32(truncatingIfNeeded: block) &+ 1) }

    /// A number from 0 to 1, 1 excluded, all equally likely.
    func chance(_ row: UInt64) -> Double {
        let words = words(row, 0)
        let bits = UInt64(words[0]) << 21 ^ UInt64(words[1]) >> 11
        return Double(bits) * 0x1p-53
    }

    private func words(_ row: UInt64, _ block: UInt32) -> [UInt32] {
        Philox.block(
            counter: [UInt32(truncatingIfNeeded: row), UInt32(truncatingIfNeeded: row >> 32), draw, block],
            key: [UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)])
    }
}
