/// What the name of a tensor in an adapter's file says.
///
/// PEFT writes `base_model.model.PATH.lora_A.weight`. Older versions, and programs that save a model's state as it is, leave the
/// adapter's own name in (`lora_A.default.weight`), or the wrapper's (`modules_to_save`, `base_layer`).
struct AdapterTensorName: Sendable {
    enum Part: Sendable, Hashable {
        /// `lora_A` or `lora_B` of a module.
        case lowRank(isFirst: Bool)
        /// `lora_embedding_A` or `lora_embedding_B` of a module.
        case embedding(isFirst: Bool)
        /// `shira_weight` of a module.
        case sparseValues
        /// `shira_indices` of a module.
        case sparsePlaces
        /// A tensor of the model itself.
        case saved
        /// What a wrapper keeps of the base: `original_module`.
        case original
        /// A part of a kind of adapter that Silt does not read, and its name there.
        case unknown(String)
    }

    /// What all names begin with.
    static let prefix = "base_model.model."

    let part: Part
    /// The path of the module; for `saved`, the name of the model's tensor.
    let path: String
    /// Whether the name stands in the words of a wrapper (`modules_to_save` or `base_layer`).
    let isWrapped: Bool

    init(_ name: String) {
        let bare = name.hasPrefix(AdapterTensorName.prefix) ? name.dropFirst(AdapterTensorName.prefix.count) : name[...]
        let words = bare.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        func path(before index: Int) -> String { words[..<index].joined(separator: ".") }
        // The last word that means something to PEFT: a module of the model may have such a name further up.
        guard let index = words.lastIndex(where: { AdapterTensorName.isMarker($0) }) else {
            (part, self.path, isWrapped) = (.saved, String(bare), false)
            return
        }
        let rest = words[(index + 1)...]
        switch words[index] {
        case "base_layer":
            (part, self.path, isWrapped) = (.saved, (words[..<index] + rest).joined(separator: "."), true)
        case "modules_to_save":
            // The adapter's name follows in old files; "default" is what nearly all are called.
            let inner = rest.count > 1 && rest.first == "default" ? rest.dropFirst() : rest
            (part, self.path, isWrapped) = (.saved, (words[..<index] + inner).joined(separator: "."), true)
        case "original_module":
            (part, self.path, isWrapped) = (.original, path(before: index), true)
        default:
            (part, self.path, isWrapped) = (
                AdapterTensorName.part(words[index], Array(rest)), path(before: index), false
            )
        }
    }

    private static func isMarker(_ word: String) -> Bool {
        ["base_layer", "modules_to_save", "original_module", "token_adapter"].contains(word)
            || ["lora_", "shira_", "ada_", "hada_", "lokr_", "oft_", "ia3_", "vera_", "vblora_", "trainable_tokens_"]
                .contains { word.hasPrefix($0) }
    }

    private static func part(_ word: String, _ rest: [String]) -> Part {
        // After the word: ".weight" for modules, nothing for bare parameters; before it, perhaps the adapter's name.
        let isModule = rest.last == "weight" && rest.count <= 2
        let isParameter = rest.count <= 1 || isModule
        switch word {
        case "lora_A" where isModule: return .lowRank(isFirst: true)
        case "lora_B" where isModule: return .lowRank(isFirst: false)
        case "lora_embedding_A" where isParameter: return .embedding(isFirst: true)
        case "lora_embedding_B" where isParameter: return .embedding(isFirst: false)
        case "shira_weight" where rest.count <= 1: return .sparseValues
        case "shira_indices" where rest.count <= 1: return .sparsePlaces
        default: return .unknown(([word] + rest).joined(separator: "."))
        }
    }
}
