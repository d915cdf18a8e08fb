internal import TensorTypes

/// The layers after the blocks of each family.
extension ModelBuilder {
    mutating func head() throws(SiltError) -> (Head, ModelHead) {
        let family = configuration.family
        var last: Norm?
        if family.isDecoder {
            last = try family == .gpt2 ? norm("ln_f") : norm("norm", isRootMeanSquare: true)
        }
        switch try task() {
        case .classification: return try classification(last)
        case .causal:
            // A checkpoint that has both tensors means both, whatever the configuration says of tying.
            let isTied = reader.table["lm_head.weight"] == nil
            guard !isTied || configuration.isTied else {
                throw SiltError(
                    .noMatch, "the checkpoint has no such tensor, and config.json does not tie it to the embeddings",
                    tensor: "lm_head.weight")
            }
            let table = family == .gpt2 ? "wte.weight" : "embed_tokens.weight"
            let output =
                try isTied
                ? tied(table)
                : whole(
                    "lm_head", configuration.hidden, configuration.vocabulary, hasBias: false,
                    block: configuration.blocks)
            return (
                Head(norm: last, dense: nil, output: output, isPerToken: true),
                .causal(vocabulary: configuration.vocabulary)
            )
        case .hidden, .any: return (Head(norm: last, dense: nil, output: nil, isPerToken: true), .none)
        }
    }

    /// What the configuration says, or else what tensors the checkpoint has.
    private func task() throws(SiltError) -> ModelConfiguration.Task {
        let family = configuration.family
        var task = configuration.task
        if task == .any {
            if ["classifier.weight", "classifier.out_proj.weight", "score.weight"].contains(where: {
                reader.table[$0] != nil
            }) {
                task = .classification
            } else if family.isDecoder, reader.table["lm_head.weight"] != nil || configuration.isTied {
                task = .causal
            }
        }
        guard task != .causal || family.isDecoder else {
            throw SiltError(
                .usage, "encoders with a causal head are not supported", file: configuration.file,
                advice: "\(option: .evaluator) CMD runs any model with your own program")
        }
        return task
    }

    private mutating func classification(_ last: Norm?) throws(SiltError) -> (Head, ModelHead) {
        let (hidden, labels, block) = (configuration.hidden, configuration.labels, configuration.blocks)
        let dense: (layer: Linear, activation: Activation)?
        let output: Linear
        switch configuration.family {
        case .bert:
            dense = (try linear("pooler.dense", hidden, hidden, block: block), .tanh)
            output = try whole("classifier", hidden, labels, block: block)
        case .roberta, .xlmRoberta, .camembert:
            dense = (try whole("classifier.dense", hidden, hidden, block: block), .tanh)
            output = try whole("classifier.out_proj", hidden, labels, block: block)
        case .distilbert:
            dense = (try whole("pre_classifier", hidden, hidden, block: block), .relu)
            output = try whole("classifier", hidden, labels, block: block)
        case .llama, .mistral, .qwen2, .qwen3, .gpt2:
            dense = nil
            output = try whole("score", hidden, labels, hasBias: false, block: block)
        }
        return (
            Head(norm: last, dense: dense, output: output, isPerToken: false),
            labels == 1 ? .regression : .classifier(labels: labels)
        )
    }
}
