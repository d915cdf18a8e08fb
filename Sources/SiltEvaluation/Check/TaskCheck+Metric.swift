extension TaskCheck {
    /// How good models are at something, for comparison.
    package struct Metric: Sendable {
        /// What is measured, like `accuracy` or `loss`.
        package var name: String
        /// What the data are for, like `validation` or `test`.
        package var use: String
        /// The data.
        package var data: String
        /// Examples of the data.
        package var examples: Int
        /// The base's value, the fine-tuned model's, and that of the rebuilt model.
        package var base: Double?, fineTuned: Double?, rebuilt: Double
        /// What the file's receipt says of the rebuilt model.
        package var recorded: Double?
        /// Whether that agrees; nil if the file says nothing.
        package var isAsRecorded: Bool?
        /// Whether more is better.
        package var higherIsBetter: Bool

        /// A comparison; what is nil is not known.
        package init(
            name: String, use: String, data: String, examples: Int, base: Double? = nil, fineTuned: Double? = nil,
            rebuilt: Double, recorded: Double? = nil, isAsRecorded: Bool? = nil, higherIsBetter: Bool = true
        ) {
            (self.name, self.use, self.data, self.examples) = (name, use, data, examples)
            (self.base, self.fineTuned, self.rebuilt) = (base, fineTuned, rebuilt)
            (self.recorded, self.isAsRecorded, self.higherIsBetter) = (recorded, isAsRecorded, higherIsBetter)
        }
    }
}
