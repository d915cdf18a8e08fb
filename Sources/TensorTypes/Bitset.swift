/// A set of positions 0 to `count` - 1, one bit each: which elements, rows or columns a mask keeps.
package struct Bitset: Sendable, Hashable {
    /// Positions that can be in the set.
    package let count: Int
    /// Bit `i & 63` of word `i >> 6` says whether position i is in the set; bits past `count` are 0.
    package var words: [UInt64]

    /// An empty set.
    package init(count: Int) {
        self.count = count
        words = [UInt64](repeating: 0, count: (count + 63) / 64)
    }

    /// Whether position `index` is in the set.
    package subscript(index: Int) -> Bool {
        get { words[index >> 6] >> UInt64(index & 63) & 1 == 1 }
        set {
            let bit = UInt64(1) << UInt64(index & 63)
            if newValue { words[index >> 6] |= bit } else { words[index >> 6] &= ~bit }
        }
    }

    /// How many positions are in the set.
    package var population: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }
}
