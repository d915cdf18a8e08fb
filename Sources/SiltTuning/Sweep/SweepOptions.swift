package import SiltPacking

/// What a sweep tries, and on which data.
package struct SweepOptions: Sendable, Hashable {
    /// Which ways of packing are tried.
    package enum Rows: String, CaseIterable, Sendable {
        /// One of each family.
        case quick
        /// Every rule for q, the importance baselines, and what was published.
        case full
    }

    /// Data with labels (causal models need none), on which metrics are tuned.
    package var validation: String
    /// Data on which the divergence is tuned; nil: the validation data.
    package var calibration: String?
    /// Data on which the rows are measured; nil: the validation data.
    package var test: String?
    /// Examples of the calibration and validation data that are read at most; nil for all.
    package var examples: Int?
    /// Masks that each random choice is tried with: seeds 0, 1, ….
    package var seeds = 4
    /// Drop rates p.
    package var drops = [0, 0.9, 0.95, 0.99, 0.995, 0.999]
    /// Which ways of packing are tried.
    package var rows = Rows.full
    /// A regular expression: only rows whose method's name matches are tried; nil for all.
    package var methods: String?
    /// What becomes of vectors, in every row.
    package var vectors = LossyOptions.Vectors.int4
    /// What becomes of embeddings, in every row.
    package var embeddings = LossyOptions.Embeddings.method

    /// All rows, tuned and measured on `validation`.
    package init(validation: String) { self.validation = validation }
}
