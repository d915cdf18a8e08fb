/// How tensors are pruned, quantised and rescaled (contract lossy).
///
/// Methods are those of DARE (random), of the importance baselines (magnitude, n:m, columns and rows by norm), of BitDelta (sign)
/// and of low-rank coders; Docs/Lossy.md says which is for what.
package struct LossyOptions: Sendable, Hashable {
    /// What is kept of a delta.
    package enum Method: String, CaseIterable, Sendable {
        /// Each element with probability 1 - p, rescaled by 1/q: DARE.
        case random
        /// The largest elements.
        case magnitude
        /// The elements with the largest |delta| times norm of their input, row by row; needs calibration data: WANDA.
        case wanda
        /// Whole columns (inputs).
        case columns
        /// Whole rows (outputs).
        case rows
        /// The n largest of m neighbours.
        case nm
        /// The sign of every element, and one scale a row: BitDelta.
        case sign
        /// Every element, quantised.
        case dense
        /// A truncated singular value decomposition.
        case lowrank
        /// Singular directions, quantised by their weight and entropy-coded.
        case transform
    }

    /// Types of values.
    package enum Values: String, CaseIterable, Sendable { case f32, f16, bf16, int8, int4, int2, sign }

    /// How positions are stored.
    package enum Mask: String, CaseIterable, Sendable {
        /// The smallest: seeded where the method is random, else bits or gaps.
        case auto
        case seeded, bitmask, gaps
    }

    /// Over what the largest elements are chosen.
    package enum Scope: String, CaseIterable, Sendable { case tensor, row, global }

    /// How columns and rows are chosen.
    package enum Choice: String, CaseIterable, Sendable { case norm, random }

    /// What becomes of vectors (norms, biases).
    package enum Vectors: String, CaseIterable, Sendable {
        case exact, int4, f16, drop
        /// Integers of a step that method transform chooses; those that are not worth their bits are dropped.
        case method
    }

    /// What becomes of embeddings.
    package enum Embeddings: String, CaseIterable, Sendable { case exact, method, drop }

    /// What becomes of heads that the base has too: of language models the output layer.
    package enum Heads: String, CaseIterable, Sendable { case exact, method }

    /// The rescale factor q.
    package enum Rescale: Sendable, Hashable {
        /// 1 - p for random choices, none for others.
        case dare
        case value(Double)
        /// By tensor: one number, or one for each row; of method transform one for each component, in the order in which they are
        /// stored. Tensors that are not named have none.
        case factors([String: [Double]])
    }

    /// What is kept.
    package var method = Method.random
    /// What is kept of what a low-rank method leaves; nil for nothing.
    package var residual: Method?
    /// Drop rate p, 0 to below 1: the share of elements (columns, rows) that is not kept.
    package var drop = 0.9
    /// Directions of a low-rank method; nil: by `energy`.
    package var rank: Int?
    /// Share of the squared singular values that a low-rank method keeps, where no rank is given.
    package var energy = 0.9
    /// Step of the transform method, in units of the mean square of all deltas: larger is coarser.
    package var quality = 1.0
    /// Rounding of method transform: 0 to nearest, above 0 towards zero (0.7 has the least squared error), below 0 outwards.
    package var deadZone = 0.7
    /// Whether method transform weighs errors by what they cost the model's answers: curvature, which calibration data give.
    package var curvature = false
    /// n of n:m: how many of m neighbours in a row are kept.
    package var n = 2
    /// m of n:m, 2 to 64.
    package var m = 4
    /// Seed of random choices.
    package var seed = 0
    /// The rescale factor q.
    package var rescale = Rescale.dare
    /// Type of the values; nil: sign for `sign`, int4 for all others.
    package var values: Values?
    /// Values that share a scale; 0: one scale for each tensor (for sign: each row).
    package var group = 0
    /// How positions are stored.
    package var mask = Mask.auto
    /// Over what the largest elements are chosen.
    package var scope = Scope.tensor
    /// How columns and rows are chosen.
    package var choice = Choice.norm
    /// What becomes of norms, biases and other vectors.
    package var vectors = Vectors.exact
    /// What becomes of embeddings.
    package var embeddings = Embeddings.exact
    /// What becomes of heads.
    package var heads = Heads.exact
    /// A regular expression: only tensors whose names match are lossy.
    ///
    /// nil: matrices that are no embeddings or heads.
    package var only: String?
    /// A regular expression: tensors whose names match stay exact.
    package var except: String?

    /// DARE with p = 0.9 and int4 values.
    package init() {}
}
