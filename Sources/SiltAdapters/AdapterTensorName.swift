/// What the name of a tensor in an adapter's file says.
///
/// PEFT writes `base_model.model.PATH.lora_A.weight`. Older versions, and programs that save a model's state as it is, leave the
/// adapter's own name in (`lora_A.default.weight`), or the wrapper's (`modules_to_save`, `base_layer`), or put words of their own
/// in front of PEFT's or between (`WrapperWords`).
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

    /// What all names begin with that PEFT writes.
    static let prefix = "base_model.model."

    let part: Part
    /// The path of the module; for `saved`, the name of the model's tensor.
    let path: String
    /// The path as PEFT's patterns see it: without the words before `base_model.model`.
    let inner: String
    /// Whether the name stands in the words of a wrapper (`modules_to_save` or `base_layer`).
    let isWrapped: Bool

    /// Reads a name of a file whose adapters are called `adapters`, where it says so.
    init(_ name: String, adapters: Set<String> = ["default"]) {
        let (words, outer) = WrapperWords.stripped(name)
        let place = AdapterTensorName.place(words, adapters)
        part = place.part
        isWrapped = place.isWrapped
        path = place.path.joined(separator: ".")
        inner = place.path.dropFirst(outer).joined(separator: ".")
    }

    /// What the adapter is called in a name that has it between factor and `weight`: `lora_A.default.weight`.
    static func adapter(in name: String) -> String? {
        let words = name.split(separator: ".").suffix(3)
        guard words.count == 3, words.last == "weight", let word = words.first, ["lora_A", "lora_B"].contains(word)
        else { return nil }
        return words.dropFirst().first.map(String.init)
    }

    private static func place(
        _ words: [Substring], _ adapters: Set<String>
    ) -> (part: Part, path: [Substring], isWrapped: Bool) {
        // The last word that means something to PEFT: a module of the model may have such a name further up.
        guard let index = words.lastIndex(where: { isMarker($0) }) else { return (.saved, words, false) }
        let path = Array(words[..<index])
        let rest = words[(index + 1)...]
        switch words[index] {
        case "base_layer": return (.saved, path + rest, true)
        case "modules_to_save":
            // The adapter's name follows in raw states and old files.
            let isNamed = rest.count > 1 && rest.first.map { adapters.contains(String($0)) } == true
            return (.saved, path + (isNamed ? rest.dropFirst() : rest), true)
        case "original_module": return (.original, path, true)
        default: return (part(words[index], Array(rest)), path, false)
        }
    }

    private static func isMarker(_ word: Substring) -> Bool {
        ["base_layer", "modules_to_save", "original_module", "token_adapter"].contains(word)
            || ["lora_", "shira_", "ada_", "hada_", "lokr_", "oft_", "ia3_", "vera_", "vblora_", "trainable_tokens_"]
                .contains { word.hasPrefix($0) }
    }

    private static func part(_ word: Substring, _ rest: [Substring]) -> Part {
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
