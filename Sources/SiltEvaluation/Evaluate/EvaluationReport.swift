/// What `silt eval` found.
public struct EvaluationReport: Sendable {
    /// A number with its name.
    public struct Measure: Sendable, Hashable {
        /// Like `accuracy` or `perplexity`.
        public let name: String
        /// Its value.
        public let value: Double
    }

    /// The metric by which the model is judged: `accuracy` of classifiers, `pearson` of regressors, `loss` of causal models, or
    /// what the evaluator calls its number; nil if the data have no labels.
    public let metric: String?
    /// Its value.
    public let value: Double?
    /// Whether more of it is better; nil: not known.
    public let higherIsBetter: Bool?
    /// All metrics.
    public let measures: [Measure]
    /// Examples of the data set; 0 if an evaluator measured.
    public let examples: Int
    /// The SHA-256 of the data set's file; empty if an evaluator measured.
    public let data: String
    /// Wall-clock seconds, reading the model included.
    public let seconds: Double
}
