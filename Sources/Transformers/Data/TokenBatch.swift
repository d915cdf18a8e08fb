/// Examples of a data set, packed without padding: what a model runs on at once.
package struct TokenBatch: Sendable {
    /// The examples of the data set that are in here.
    package let examples: Range<Int>
    /// Token ids, sequence after sequence.
    package let ids: [Int32]
    /// The position of each token, as the model counts them.
    package let positions: [Int32]
    /// The segment of each token.
    package let types: [Int32]
    /// Where each sequence begins in the arrays above; the last is where all end.
    package let offsets: [Int]
    /// The token from which a classifier reads each sequence.
    package let pooled: [Int32]
    /// One more than the largest position.
    package let positionEnd: Int

    /// Tokens of all sequences.
    package var tokens: Int { ids.count }
    /// Number of sequences.
    package var sequences: Int { offsets.count - 1 }

    /// The tokens of sequence `index` that foretell one: those after which the next position is no padding.
    func foretelling(_ index: Int) -> [Int] {
        (offsets[index]..<offsets[index + 1]).dropLast().filter { positions[$0 + 1] == positions[$0] + 1 }
    }
}
