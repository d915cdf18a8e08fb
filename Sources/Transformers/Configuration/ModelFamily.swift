/// The architectures that Silt runs by itself: `model_type` of config.json.
enum ModelFamily: String, Sendable, CaseIterable {
    case bert, roberta, xlmRoberta = "xlm-roberta", camembert, distilbert
    case llama, mistral, qwen2, qwen3, gpt2

    /// Whether tokens see those before them only.
    var isDecoder: Bool {
        switch self {
        case .bert, .roberta, .xlmRoberta, .camembert, .distilbert: false
        case .llama, .mistral, .qwen2, .qwen3, .gpt2: true
        }
    }

    /// Whether positions are counted from the padding token's id on, past padding tokens.
    var isRoberta: Bool { self == .roberta || self == .xlmRoberta || self == .camembert }

    /// What may stand before the names of the body's tensors.
    var prefixes: [String] {
        switch self {
        case .bert: ["bert.", ""]
        case .roberta, .xlmRoberta, .camembert: ["roberta.", ""]
        case .distilbert: ["distilbert.", ""]
        case .llama, .mistral, .qwen2, .qwen3: ["model.", ""]
        case .gpt2: ["transformer.", ""]
        }
    }
}
