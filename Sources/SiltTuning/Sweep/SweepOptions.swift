public import SiltPacking

/// What a sweep tries, and on which data.
public struct SweepOptions: Sendable, Hashable {
    /// Which ways of packing are tried.
    public enum Rows: String, CaseIterable, Sendable {
        /// One of each family.
        case quick
        /// Every rule for q, the importance baselines, and what was published.
        case full
    }

    /// Data with labels (causal models need none), on which metrics are tuned.
    public var validation: String
    /// Data on which the divergence is tuned; nil: the validation data.
    public var calibration: String?
    /// Data on which the rows are measured; nil: the validation data.
    public var test: String?
    /// Examples of the calibration and validation data that are read at most; nil for all.
    public var examples: Int?
    /// Masks that each random choice is tried with: seeds 0, 1, ….
    public var seeds = 4
    /// Drop rates p.
    public var drops = [0, 0.9, 0.95, 0.99, 0.995, 0.999]
    /// Which ways of packing are tried.
    public var rows = Rows.full
    /// A regular expression: only rows whose method's name matches are tried; nil for all.
    public var methods: String?
    /// What becomes of vectors, in every row.
    public var vectors = LossyOptions.Vectors.int4
    /// What becomes of embeddings, in every row.
    public var embeddings = LossyOptions.Embeddings.method

    /// All rows, tuned and measured on `validation`.
    public init(validation: String) { self.validation = validation }
}
