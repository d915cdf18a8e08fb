internal import TensorTypes

/// Makes the `adapter_config.json` of low-rank updates that never came from PEFT.
///
/// The scale of every update is 1 (alpha = r): what a pack multiplies by belongs into a factor. Modules are named by their whole
/// paths, ranks other than the commonest in `rank_pattern`.
struct AdapterConfigurationBuilder {
    /// A module with an update.
    struct Module: Sendable {
        /// Its path in the model, without `base_model.model.` and `.weight`.
        let path: String
        let rank: Int
    }

    var modules: [Module] = []
    /// Paths of modules that the adapter has whole.
    var modulesToSave: [String] = []
    /// `base_model_name_or_path`.
    var baseModel: String?
    /// Whether the weights of the adapted modules are [in, out] (GPT-2's Conv1D).
    var isFanInFanOut = false
    /// Whether the adapter has biases of adapted modules, as `PATH.base_layer.bias`.
    var hasBiases = false

    /// The text, as PEFT writes it: members sorted, indented by two spaces.
    var text: String {
        let rank = commonRank
        let others = modules.filter { $0.rank != rank }.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        let pattern = JSONValue.object(others.map { .init(key(for: $0.path), .integer($0.rank)) })
        let value = JSONValue.members([
            "alpha_pattern": pattern,
            "base_model_name_or_path": baseModel.map { .string($0) } ?? .null,
            "bias": .string(hasBiases ? "lora_only" : "none"),
            "fan_in_fan_out": .bool(isFanInFanOut),
            "inference_mode": .bool(true),
            "init_lora_weights": .bool(true),
            "lora_alpha": .integer(rank),
            "lora_bias": .bool(false),
            "lora_dropout": .number(0),
            "modules_to_save": modulesToSave.isEmpty ? .null : strings(modulesToSave),
            "peft_type": .string("LORA"),
            "r": .integer(rank),
            "rank_pattern": pattern,
            "target_modules": strings(modules.map(\.path)),
            "task_type": .null,
            "use_dora": .bool(false),
            "use_rslora": .bool(false),
        ])
        return String(decoding: value.serialized(pretty: true), as: UTF8.self) + "\n"
    }

    /// The commonest rank; of several, the largest.
    private var commonRank: Int {
        let counts = modules.reduce(into: [Int: Int]()) { $0[$1.rank, default: 0] += 1 }
        return counts.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key ?? 1
    }

    private func strings(_ values: [String]) -> JSONValue {
        .array(Set(values).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map { .string($0) })
    }

    /// The path as a pattern: PEFT matches it at the end of other paths too, so where there are such it is tied to the start.
    private func key(for path: String) -> String {
        modules.contains { $0.path != path && $0.path.hasSuffix("." + path) } ? "^" + path : path
    }
}
