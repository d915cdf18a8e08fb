/// What a model is trained for.
package enum TrainingTask: Sendable, Hashable {
    /// One of `labels` classes for each example.
    case classification(labels: Int)
    /// A number for each example.
    case regression
    /// The next token.
    case causal

    /// Columns of the logits of a head for whole examples.
    var labels: Int {
        switch self {
        case .classification(let labels): labels
        case .regression: 1
        case .causal: 0
        }
    }
}

extension ModelFamily {
    /// What transformers calls the class of a model of the family for `task`.
    func architecture(_ task: TrainingTask) -> String {
        let name =
            switch self {
            case .bert: "Bert"
            case .roberta: "Roberta"
            case .xlmRoberta: "XLMRoberta"
            case .camembert: "Camembert"
            case .distilbert: "DistilBert"
            case .llama: "Llama"
            case .mistral: "Mistral"
            case .qwen2: "Qwen2"
            case .qwen3: "Qwen3"
            case .gpt2: "GPT2"
            }
        guard task == .causal else { return name + "ForSequenceClassification" }
        return self == .gpt2 ? "GPT2LMHeadModel" : name + "ForCausalLM"
    }

    /// The first components of tensor names that do not belong to the body.
    static let headComponents: Set<String> = [
        "classifier", "pre_classifier", "score", "lm_head", "cls", "qa_outputs", "vocab_projector", "vocab_transform",
        "vocab_layer_norm",
    ]

    /// The layers between the body's hidden states and the logits of whole examples: names, shapes, and whether they belong to
    /// the labels.
    func headLayers(hidden: Int, labels: Int) -> [(name: String, shape: [Int], isOutput: Bool)] {
        func layer(_ name: String, _ outputs: Int, isOutput: Bool) -> [(name: String, shape: [Int], isOutput: Bool)] {
            [(name + ".weight", [outputs, hidden], isOutput), (name + ".bias", [outputs], isOutput)]
        }
        return switch self {
        // The pooler is the body's: models without a head have it too, mostly.
        case .bert: layer("bert.pooler.dense", hidden, isOutput: false) + layer("classifier", labels, isOutput: true)
        case .roberta, .xlmRoberta, .camembert:
            layer("classifier.dense", hidden, isOutput: true) + layer("classifier.out_proj", labels, isOutput: true)
        case .distilbert:
            layer("pre_classifier", hidden, isOutput: true) + layer("classifier", labels, isOutput: true)
        case .llama, .mistral, .qwen2, .qwen3, .gpt2: [("score.weight", [labels, hidden], true)]
        }
    }
}
