package import TensorTypes

extension TokenData {
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
