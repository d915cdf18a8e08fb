internal import Safetensors
internal import TensorTypes

/// Finds the base tensor that predicts a tensor of the result by its name.
///
/// The same name; the same but for words that wrappers put into names, and for old names; the name with or without leading components
/// (`bert.`, `model.`, `base_model.model.`); or, for matrices of the vocabulary, the name of what they are tied to. Shapes differ in the
/// first extent at most, and of several candidates one of the same shape is taken.
struct NameMatcher {
    private let tensors: [Checkpoint.Tensor]
    private var byName: [ByteName: Checkpoint.Tensor] = [:]
    private var byCanonical: [ByteName: [Checkpoint.Tensor]] = [:]
    /// Base tensors by every ending of their canonical names that has at least two components; more than one is ambiguous.
    private var byEnding: [ByteName: [Checkpoint.Tensor]] = [:]

    /// Input embeddings and output layers that models tie to them: one tensor may stand for the other, either way.
    private static let tied = [
        "lm_head", "lm_head.decoder", "cls.predictions.decoder", "vocab_projector", "embed_out", "output_projection",
        "embed_tokens", "word_embeddings", "wte", "embed_in", "shared", "tok_embeddings", "proj_out",
    ]
    /// Components that wrappers of modules put into names, wherever they stand.
    private static let wrappers: Set<Substring> = [
        "module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module",
    ]
    /// Last components that meant the same once.
    private static let renamed: [Substring: Substring] = ["gamma": "weight", "beta": "bias"]

    init(_ tensors: [Checkpoint.Tensor]) {
        self.tensors = tensors
        for tensor in tensors {
            byName[ByteName(tensor.name)] = byName[ByteName(tensor.name)] ?? tensor
            let canonical = NameMatcher.canonical(tensor.name)
            byCanonical[ByteName(canonical), default: []].append(tensor)
            for ending in NameMatcher.endings(of: canonical) { byEnding[ByteName(ending), default: []].append(tensor) }
        }
    }

    /// The name without words of wrappers, and with today's words for old ones.
    static func canonical(_ name: String) -> String {
        var parts = name.split(separator: ".", omittingEmptySubsequences: false)
        parts.removeAll { wrappers.contains($0) }
        while parts.starts(with: ["base_model", "model"]) { parts.removeFirst(2) }
        if let last = parts.last, let today = renamed[last] { parts[parts.count - 1] = today }
        return parts.isEmpty ? name : parts.joined(separator: ".")
    }

    /// The name, and what is left of it without its first component, its first two and so on, while two are left: `weight`
    /// alone is no name.
    private static func endings(of name: String) -> [String] {
        var endings = [name]
        var rest = name[...]
        while let dot = rest.firstIndex(of: ".") {
            rest = rest[rest.index(after: dot)...]
            guard rest.contains(".") else { break }
            endings.append(String(rest))
        }
        return endings
    }

    /// The base tensor for `name`, or nil.
    func match(_ name: String, _ info: TensorInfo) -> Checkpoint.Tensor? {
        if let same = byName[ByteName(name)], NameMatcher.fits(same.info, info) { return same }
        let canonical = NameMatcher.canonical(name)
        if let same = NameMatcher.unique(byCanonical[ByteName(canonical)], info) { return same }
        for ending in NameMatcher.endings(of: canonical) {
            if let match = NameMatcher.unique(byEnding[ByteName(ending)], info) { return match }
        }
        guard info.shape.count == 2, NameMatcher.isTied(name) else { return nil }
        let candidates = tensors.filter { NameMatcher.fits($0.info, info) && NameMatcher.isTied($0.name) }
        return candidates.count == 1 ? candidates[0] : nil
    }

    private static func isTied(_ name: String) -> Bool {
        tied.contains { name == "\($0).weight" || name.hasSuffix(".\($0).weight") }
    }

    private static func unique(_ candidates: [Checkpoint.Tensor]?, _ info: TensorInfo) -> Checkpoint.Tensor? {
        let fitting = (candidates ?? []).filter { fits($0.info, info) }
        if fitting.count == 1 { return fitting[0] }
        let same = fitting.filter { $0.info.shape == info.shape }
        return same.count == 1 ? same[0] : nil
    }

    /// Whether the base tensor's elements can stand at their own indices.
    private static func fits(_ base: TensorInfo, _ result: TensorInfo) -> Bool {
        base.dtype.converts(to: result.dtype) && base.shape.count == result.shape.count
            && base.shape.dropFirst() == result.shape.dropFirst() && base.elements > 0
    }
}
