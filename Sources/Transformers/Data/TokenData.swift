package import TensorTypes

/// A data set of token ids: examples that are padded to one length.
package struct TokenData: Sendable {
    /// Where it was read, for messages.
    package let file: String
    /// Tokens of an example, padding included.
    package let length: Int
    /// What the examples ought to give.
    package let labels: Labels?
    /// Number of examples.
    package let count: Int
    /// Token ids, [count, length].
    let ids: [Int32]
    /// Whether a token is no padding, [count, length].
    let mask: [Bool]
    /// Segments, [count, length]; empty: all 0.
    let types: [Int32]

    /// Examples from arrays of `count` times `length` elements; an empty mask means that no token is padding.
    package init(
        ids: [Int32], mask: [Bool] = [], types: [Int32] = [], length: Int, labels: Labels? = nil,
        file: String = "data"
    ) throws(SiltError) {
        let count = length > 0 ? ids.count / length : 0
        guard count > 0, ids.count == count * length, mask.isEmpty || mask.count == ids.count,
            types.isEmpty || types.count == ids.count, labels.map({ $0.count == count }) ?? true
        else {
            throw SiltError(.usage, "the data set is empty, or its tensors do not have one shape", file: file)
        }
        self.ids = ids
        self.mask = mask.isEmpty ? Array(repeating: true, count: ids.count) : mask
        self.types = types
        (self.length, self.labels, self.count, self.file) = (length, labels, count, file)
        for example in 0..<count where !self.mask[example * length..<(example + 1) * length].contains(true) {
            throw SiltError(
                .usage, "example \(example) has no token: its attention_mask is 0 everywhere", file: file)
        }
    }

    private init(_ other: TokenData, count: Int) {
        self.count = count
        (file, length) = (other.file, other.length)
        labels = other.labels?.prefix(count)
        ids = Array(other.ids.prefix(count * length))
        mask = Array(other.mask.prefix(count * length))
        types = Array(other.types.prefix(count * length))
    }

    /// The first `count` examples, or all if there are fewer.
    package func prefix(_ count: Int) -> TokenData { TokenData(self, count: min(max(count, 0), self.count)) }

    /// These examples, in this order.
    package func picked(_ examples: [Int]) -> TokenData { TokenData(self, examples) }

    private init(_ other: TokenData, _ examples: [Int]) {
        count = examples.count
        (file, length) = (other.file, other.length)
        labels = other.labels?.picked(examples)
        let length = length
        func rows<Element>(_ values: [Element]) -> [Element] {
            guard !values.isEmpty else { return [] }
            return examples.flatMap { values[$0 * length..<($0 + 1) * length] }
        }
        (ids, mask, types) = (rows(other.ids), rows(other.mask), rows(other.types))
    }

    /// Tokens that are no padding.
    package var tokens: Int { mask.count { $0 } }
}
