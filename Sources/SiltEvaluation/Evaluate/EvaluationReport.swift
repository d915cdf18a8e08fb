/// What `silt eval` found.
package struct EvaluationReport: Sendable {
    /// A number with its name.
    package struct Measure: Sendable, Hashable {
        /// Like `accuracy` or `perplexity`.
        package let name: String
        /// Its value.
        package let value: Double
    }

    /// The metric by which the model is judged: `accuracy` of classifiers, `pearson` of regressors, `loss` of causal models, or
    /// what the evaluator calls its number; nil if the data have no labels.
    package let metric: String?
    /// Its value.
    package let value: Double?
    /// Whether more of it is better; nil: not known.
    package let higherIsBetter: Bool?
    /// All metrics.
    package let measures: [Measure]
    /// Examples of the data set; 0 if an evaluator measured.
    package let examples: Int
    /// The SHA-256 of the data set's file; empty if an evaluator measured.
    package let data: String
    /// Wall-clock seconds, reading the model included.
    package let seconds: Double
}
