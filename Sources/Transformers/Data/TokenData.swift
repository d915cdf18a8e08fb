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

    /// Checks that the model can run on the data and that the labels are of its kind.
    ///
    /// Throws `usage` otherwise.
    package func check(for model: TransformerModel) throws(SiltError) {
        func wrong(_ message: String, _ advice: String? = nil) -> SiltError {
            SiltError(.usage, message, file: file, advice: advice)
        }
        guard length <= model.positions else {
            throw wrong("examples have \(length) tokens; the model has positions for \(model.positions)")
        }
        for index in ids.indices where mask[index] && !(0..<model.vocabulary).contains(Int(ids[index])) {
            throw wrong(
                "example \(index / length) has the token id \(ids[index]); the model's vocabulary has "
                    + "\(model.vocabulary) tokens", "were the data made with this model's tokenizer?")
        }
        try checkTypes(model.configuration, wrong)
        if !model.isDecoder, model.head != .none {
            for example in 0..<count where !mask[example * length] {
                throw wrong(
                    "example \(example) begins with padding, but the model's head reads the first token",
                    "pad at the end")
            }
        }
        try checkLabels(model.head, wrong)
    }

    private func checkTypes(
        _ configuration: ModelConfiguration, _ wrong: (String, String?) -> SiltError
    ) throws(SiltError) {
        guard !types.isEmpty else { return }
        guard configuration.family != .gpt2 else {
            // There they are ids of further tokens, whose embeddings are added: nothing that tokenizers make.
            throw wrong("token_type_ids are not supported for GPT-2", "leave them out")
        }
        let segments = configuration.tokenTypes
        guard segments > 0 else { return }
        for index in types.indices where mask[index] && !(0..<segments).contains(Int(types[index])) {
            throw wrong(
                "example \(index / length) has the token type \(types[index]); the model has \(segments)", nil)
        }
    }

    private func checkLabels(
        _ head: ModelHead, _ wrong: (String, String?) -> SiltError
    ) throws(SiltError) {
        switch (head, labels) {
        case (.classifier(let count), .classes(let classes)):
            if let index = classes.firstIndex(where: { !(0..<count).contains($0) }) {
                throw wrong("example \(index) has the label \(classes[index]); the model has \(count) labels", nil)
            }
        case (.classifier, .values):
            throw wrong("the labels are floating-point numbers, the model's head is a classifier", nil)
        case (.regression, .values(let values)):
            if let index = values.firstIndex(where: { !$0.isFinite }) {
                throw wrong("the label of example \(index) is not finite", nil)
            }
        case (.causal, _):
            guard ids.indices.contains(where: { ($0 + 1) % length != 0 && mask[$0] && mask[$0 + 1] }) else {
                throw wrong("no example has two adjacent tokens, so there is nothing to predict", nil)
            }
        default: break
        }
    }
}
