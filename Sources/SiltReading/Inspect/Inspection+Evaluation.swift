package import SiltFormat

extension Inspection {
    /// A task metric that was measured when the file was made.
    package struct Evaluation: Sendable {
        /// SHA-256 of the data set's file, 64 hexadecimal digits.
        package let data: String
        /// What the data were for.
        package let use: DataUse
        /// What was measured, like `accuracy`.
        package let metric: String
        /// How many examples were measured.
        package let examples: Int
        /// The base's; nil where the base alone cannot be evaluated.
        package let base: Double?
        /// The metric of the fine-tuned checkpoint, and of the result.
        package let fineTuned: Double, rebuilt: Double

        package init(_ record: EvaluationRecord) {
            data = record.data
            use = record.use
            metric = record.metric
            examples = record.examples
            base = record.base
            fineTuned = record.fineTuned
            rebuilt = record.rebuilt
        }
    }
}
