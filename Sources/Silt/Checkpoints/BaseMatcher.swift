internal import Safetensors
internal import TensorTypes

/// Finds the base tensor that predicts a tensor of the result: the same name, the name with or without prefixes (`bert.`,
/// `model.`), or a tied name; and a shape that differs in the first extent at most.
struct BaseMatcher {
    private let base: Checkpoint
    /// Base tensors by their names without the first 0, 1 or 2 components; more than one is ambiguous.
    private let bySuffix: [String: [Checkpoint.Tensor]]

    /// Names of output layers that are often tied to the input embeddings, and those embeddings.
    private static let tied = [
        "lm_head.weight": ["embed_tokens.weight", "wte.weight", "word_embeddings.weight"],
        "cls.predictions.decoder.weight": ["embeddings.word_embeddings.weight"],
        "cls.predictions.decoder.bias": ["cls.predictions.bias"],
        "embed_out.weight": ["embed_in.weight"],
    ]

    init(_ base: Checkpoint) {
        self.base = base
        var bySuffix: [String: [Checkpoint.Tensor]] = [:]
        for tensor in base.tensors {
            for suffix in BaseMatcher.suffixes(of: tensor.name) { bySuffix[suffix, default: []].append(tensor) }
        }
        self.bySuffix = bySuffix
    }

    /// The name without its first 0, 1 and 2 components.
    ///
    /// What is left has at least two, so that `weight` alone is no name.
    private static func suffixes(of name: String) -> [String] {
        var suffixes = [name]
        var rest = name[...]
        for _ in 0..<2 {
            guard let dot = rest.firstIndex(of: ".") else { break }
            rest = rest[rest.index(after: dot)...]
            guard rest.contains(".") else { break }
            suffixes.append(String(rest))
        }
        return suffixes
    }

    /// The base tensor for `name`, or nil.
    func match(_ name: String, _ info: TensorInfo) -> Checkpoint.Tensor? {
        if let same = base[name], BaseMatcher.fits(same.info, info) { return same }
        for suffix in BaseMatcher.suffixes(of: name) {
            if let match = unique(suffix, info) { return match }
        }
        for (output, inputs) in BaseMatcher.tied where name == output || name.hasSuffix("." + output) {
            for input in inputs {
                if let match = uniqueEnding(input, info) { return match }
            }
        }
        return nil
    }

    private func unique(_ suffix: String, _ info: TensorInfo) -> Checkpoint.Tensor? {
        let candidates = (bySuffix[suffix] ?? []).filter { BaseMatcher.fits($0.info, info) }
        return candidates.count == 1 ? candidates[0] : nil
    }

    private func uniqueEnding(_ ending: String, _ info: TensorInfo) -> Checkpoint.Tensor? {
        let candidates = base.tensors.filter {
            ($0.name == ending || $0.name.hasSuffix("." + ending)) && BaseMatcher.fits($0.info, info)
        }
        return candidates.count == 1 ? candidates[0] : nil
    }

    /// Whether parts may refer to this base tensor (Formats/Silt.md, section 4.3).
    private static func fits(_ base: TensorInfo, _ result: TensorInfo) -> Bool {
        base.dtype.converts(to: result.dtype) && base.shape.count == result.shape.count
            && base.shape.dropFirst() == result.shape.dropFirst() && base.elements > 0
    }
}
