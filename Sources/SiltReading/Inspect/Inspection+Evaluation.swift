public import SiltFormat

extension Inspection {
    /// A task metric that was measured when the file was made.
    public struct Evaluation: Sendable {
        /// SHA-256 of the data set's file, 64 hexadecimal digits.
        public let data: String
        /// What the data were for.
        public let use: DataUse
        /// What was measured, like `accuracy`.
        public let metric: String
        /// How many examples were measured.
        public let examples: Int
        /// The base's; nil where the base alone cannot be evaluated.
        public let base: Double?
        /// The metric of the fine-tuned checkpoint, and of the result.
        public let fineTuned: Double, rebuilt: Double

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
