internal import Safetensors
internal import TensorTypes

/// Finds the base tensor that predicts a tensor of the result.
///
/// The same name; the name with or without leading components (`bert.`, `model.`, `base_model.model.`); or, for matrices of the
/// vocabulary, the name of what they are tied to. Shapes differ in the first extent at most.
struct BaseMatcher {
    private let base: Checkpoint
    /// Base tensors by every ending of their names that has at least two components; more than one is ambiguous.
    private let byEnding: [ByteName: [Checkpoint.Tensor]]

    /// Input embeddings and output layers that models tie to them: one tensor may stand for the other, either way.
    private static let tied = [
        "lm_head", "lm_head.decoder", "cls.predictions.decoder", "vocab_projector", "embed_out", "output_projection",
        "embed_tokens", "word_embeddings", "wte", "embed_in", "shared", "tok_embeddings",
    ]

    init(_ base: Checkpoint) {
        self.base = base
        var byEnding: [ByteName: [Checkpoint.Tensor]] = [:]
        for tensor in base.tensors {
            for ending in BaseMatcher.endings(of: tensor.name) {
                byEnding[ByteName(ending), default: []].append(tensor)
            }
        }
        self.byEnding = byEnding
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
        if let same = base[name], BaseMatcher.fits(same.info, info) { return same }
        for ending in BaseMatcher.endings(of: name) {
            if let match = unique(ending, info) { return match }
        }
        guard info.shape.count == 2, BaseMatcher.tied.contains(where: { BaseMatcher.ends(name, "\($0).weight") }) else {
            return nil
        }
        let candidates = base.tensors.filter { tensor in
            BaseMatcher.fits(tensor.info, info)
                && BaseMatcher.tied.contains { BaseMatcher.ends(tensor.name, "\($0).weight") }
        }
        return candidates.count == 1 ? candidates[0] : nil
    }

    private static func ends(_ name: String, _ ending: String) -> Bool {
        name == ending || name.hasSuffix("." + ending)
    }

    private func unique(_ ending: String, _ info: TensorInfo) -> Checkpoint.Tensor? {
        let candidates = (byEnding[ByteName(ending)] ?? []).filter { BaseMatcher.fits($0.info, info) }
        return candidates.count == 1 ? candidates[0] : nil
    }

    /// Whether parts may refer to this base tensor (Formats/Silt.md, section 4.3).
    private static func fits(_ base: TensorInfo, _ result: TensorInfo) -> Bool {
        base.dtype.converts(to: result.dtype) && base.shape.count == result.shape.count
            && base.shape.dropFirst() == result.shape.dropFirst() && base.elements > 0
    }
}
