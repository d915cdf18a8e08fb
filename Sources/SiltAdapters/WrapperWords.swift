internal import TensorTypes

/// Words that programs put into the names of tensors: they say who wrapped a module, not which one it is.
///
/// `base_model.model` is PEFT's, once for each time that a model was wrapped; the others are those of torch.compile, data
/// parallelism, FSDP and activation checkpointing. They stand in front of a name or between its components.
enum WrapperWords {
    private static let words: Set<Substring> = [
        "_orig_mod", "module", "_fsdp_wrapped_module", "_fpw_module", "_checkpoint_wrapped_module", "_forward_module",
    ]

    /// The components of a name without the words of wrappers, and how many of them stand before PEFT's last.
    ///
    /// A last component is never a wrapper's.
    static func stripped(_ name: String) -> (components: [Substring], outer: Int) {
        var components: [Substring] = []
        var outer = 0
        let all = name.split(separator: ".", omittingEmptySubsequences: false)
        for (index, word) in all.enumerated() {
            let isLast = index == all.count - 1
            if !isLast, words.contains(word) { continue }
            if !isLast, word == "model", components.last == "base_model" {
                components.removeLast()
                outer = components.count
            } else {
                components.append(word)
            }
        }
        return (components, outer)
    }
}
