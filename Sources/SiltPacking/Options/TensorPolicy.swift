internal import SiltReading
package import TensorTypes

/// Which tensors a lossy method takes, and what becomes of the others.
///
/// DARE's encoders leave the classifier alone, its decoders embeddings, heads and norms too (reference in Docs/Lossy.md): what is
/// left alone stays exact, and its bytes count.
package struct TensorPolicy {
    /// What becomes of a tensor.
    package enum Fate: Sendable, Hashable {
        /// Coded without loss.
        case exact
        /// The method's.
        case method
        /// A vector, with every element as a value of this type.
        case vector(LossyOptions.Values)
        /// A vector, with every element as an integer of the method's step.
        case integers
        /// The base's tensor stands for it.
        case dropped
    }

    private let options: LossyOptions
    private let only: NamePattern?
    private let except: NamePattern?
    /// Biases that take the mean error of their layer in.
    private let corrected: Set<String>

    private static let embeddings: Set<String> = [
        "embed_tokens", "word_embeddings", "position_embeddings", "token_type_embeddings", "embed_positions", "wte",
        "wpe",
        "embed_in", "tok_embeddings", "shared", "embeddings", "embedding",
    ]
    private static let heads: Set<String> = [
        "classifier", "score", "lm_head", "qa_outputs", "cls", "embed_out", "output_projection", "vocab_projector",
        "pre_classifier", "regressor", "head",
    ]

    /// Throws `usage` if a regular expression is none.
    package init(_ options: LossyOptions, corrected: Set<String> = []) throws(SiltError) {
        self.options = options
        self.corrected = corrected
        only = try options.only.map { (pattern) throws(SiltError) in try NamePattern(pattern) }
        except = try options.except.map { (pattern) throws(SiltError) in try NamePattern(pattern) }
    }

    /// The fate of a tensor that the base predicts.
    package func fate(_ name: String, _ info: TensorInfo) -> Fate {
        guard info.dtype.isPredictable, info.elements > 0, (1...Grid.limit).contains(info.matrixColumns) else {
            return .exact
        }
        if except?.matches(name) == true || only?.matches(name) == false { return .exact }
        let words = name.split(separator: ".").map(String.init)
        guard info.shape.count >= 2 else {
            // The biases of a head stay with its weights.
            if only == nil, options.heads == .exact, words.contains(where: TensorPolicy.heads.contains) {
                return .exact
            }
            switch options.vectors {
            case .exact: return corrected.contains(name) ? .vector(.f16) : .exact
            case .int4: return .vector(.int4)
            case .f16: return .vector(.f16)
            case .method: return .integers
            case .drop: return corrected.contains(name) ? .vector(.int4) : .dropped
            }
        }
        // Factors have a column for each row (Formats/Silt.md, section 12.2).
        guard options.method.isSparse || info.shape[0] <= Grid.limit else { return .exact }
        if only != nil { return .method }
        if words.contains(where: TensorPolicy.heads.contains) { return options.heads == .exact ? .exact : .method }
        guard words.contains(where: TensorPolicy.embeddings.contains), words.last == "weight" else {
            return words.contains("embeddings") ? .exact : .method
        }
        let owner = words.dropLast().last ?? ""
        guard TensorPolicy.embeddings.contains(owner) else { return .method }
        switch options.embeddings {
        case .exact: return .exact
        case .method: return .method
        case .drop: return .dropped
        }
    }
}
