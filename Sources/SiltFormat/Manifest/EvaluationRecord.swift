/// A task metric of base, fine-tuned checkpoint and result, measured at packing (Formats/Silt.md, section 12.9).
package struct EvaluationRecord: Sendable, Hashable {
    /// Evaluations that a manifest may have.
    package static let limit = 64
    /// Characters that the name of a metric may have.
    package static let metricLimit = 64

    /// SHA-256 of the data set's file, 64 lower-case hexadecimal digits.
    package var data: String
    package var use: DataUse
    /// A name that `isMetric` accepts.
    package var metric: String
    /// How many examples were measured, at least 1.
    package var examples: Int
    /// The base's, finite; nil where the base alone cannot be evaluated.
    package var base: Double?
    /// That of the fine-tuned checkpoint, finite.
    package var fineTuned: Double
    /// The result's, finite.
    package var rebuilt: Double

    package init(
        data: String, use: DataUse, metric: String, examples: Int, base: Double?, fineTuned: Double, rebuilt: Double
    ) {
        self.data = data
        self.use = use
        self.metric = metric
        self.examples = examples
        self.base = base
        self.fineTuned = fineTuned
        self.rebuilt = rebuilt
    }

    /// Whether `name` may be that of a metric.
    package static func isMetric(_ name: String) -> Bool {
        (1...metricLimit).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
