package import SiltPacking
internal import Workers

/// Many ways of packing one pair, measured: bytes against a metric and against the divergence from the fine-tuned model.
package struct SweepReport: Sendable {
    /// A number that was measured several times: with other seeds.
    package struct Spread: Sendable, Hashable {
        /// The arithmetic mean, and the standard deviation of the sample (0 for fewer than two values).
        package let mean: Double, deviation: Double
        /// The least and the largest value.
        package let least: Double, largest: Double
        /// How many values there are.
        package let count: Int

        /// The spread of `values`; all 0 if there are none.
        package init(_ values: [Double]) {
            count = values.count
            least = values.min() ?? 0
            largest = values.max() ?? 0
            // Of equal values exactly theirs: a sum would be rounded, and a spread seen where there is none.
            let mean = least == largest ? least : values.reduce(0, +) / Double(values.count)
            self.mean = mean
            let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            deviation = values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : 0
        }
    }

    /// A way of packing.
    package struct Row: WorkEvent {
        /// What it is called in the plots, like `DARE` or `transform`: rows of one method share a marker.
        package var method: String
        /// How it is made.
        package var choice: PackingChoice
        /// Bytes of the Silt file; the metric; the divergence from the fine-tuned model's outputs, in nats.
        package var bytes: Spread, metric: Spread, divergence: Spread
        /// The rescale factor q, of methods that have one.
        package var rescale: Spread?
        /// Whether no other row has as good a metric in fewer bytes (`markFront`).
        package var isOnFront = false
        /// Whether no other row has as small a divergence in fewer bytes (`markFront`).
        package var isOnDivergenceFront = false

        /// A row; the fronts are marked when all rows are there.
        package init(
            method: String, choice: PackingChoice, bytes: Spread, metric: Spread, divergence: Spread,
            rescale: Spread? = nil
        ) {
            (self.method, self.choice) = (method, choice)
            (self.bytes, self.metric, self.divergence, self.rescale) = (bytes, metric, divergence, rescale)
        }

        /// The drop rate p, of methods that have one.
        package var drop: Double? { choice.lossy.sparse.drops ? choice.lossy.drop : nil }
        /// Type of the values, like `int4`; nil of methods that choose it themselves.
        package var values: LossyOptions.Values? { choice.lossy.method == .transform ? nil : choice.lossy.valueType }
    }

    /// What is measured, like `accuracy`, and whether more of it is better.
    package var metric: String, higherIsBetter: Bool
    /// Examples on which it is measured.
    package var examples: Int
    /// Names of the data, the base and the fine-tuned checkpoint.
    package var data: String, base: String, fineTuned: String
    /// The metric of the base, where that can do the task.
    package var baseMetric: Double?
    /// The metric of the fine-tuned model.
    package var fineTunedMetric: Double
    /// Bytes of all files of the fine-tuned checkpoint.
    package var fineTunedBytes: Int
    /// Bytes of the exact Silt file.
    package var exactBytes: Int?
    /// Values of all tensors.
    package var parameters: Int
    /// Seeds that random choices were tried with.
    package var seeds: Int
    /// Wall-clock seconds.
    package var seconds: Double
    /// The ways of packing, in the order in which they were tried.
    package var rows: [Row]

    /// A report of `rows`, whose fronts are marked.
    package init(
        metric: String, higherIsBetter: Bool, examples: Int, data: String, base: String, fineTuned: String,
        baseMetric: Double?, fineTunedMetric: Double, fineTunedBytes: Int, exactBytes: Int?, parameters: Int,
        seeds: Int,
        seconds: Double, rows: [Row]
    ) {
        (self.metric, self.higherIsBetter, self.examples) = (metric, higherIsBetter, examples)
        (self.data, self.base, self.fineTuned) = (data, base, fineTuned)
        (self.baseMetric, self.fineTunedMetric) = (baseMetric, fineTunedMetric)
        (self.fineTunedBytes, self.exactBytes, self.parameters) = (fineTunedBytes, exactBytes, parameters)
        (self.seeds, self.seconds, self.rows) = (seeds, seconds, rows)
        markFront()
    }

    /// Marks the rows that no other row dominates: by mean bytes and mean metric, and by mean bytes and mean divergence.
    ///
    /// A row dominates another if it is as good in both and better in one; equal rows are both on the front. What is not
    /// a number is on no front.
    package mutating func markFront() {
        let sign = higherIsBetter ? -1.0 : 1.0
        let byMetric = SweepReport.front(rows.map { ($0.bytes.mean, sign * $0.metric.mean) })
        let byDivergence = SweepReport.front(rows.map { ($0.bytes.mean, $0.divergence.mean) })
        for index in rows.indices {
            rows[index].isOnFront = byMetric[index]
            rows[index].isOnDivergenceFront = byDivergence[index]
        }
    }

    /// Which points no other dominates, where less is better in both.
    package static func front(_ points: [(cost: Double, loss: Double)]) -> [Bool] {
        var isOnFront = [Bool](repeating: false, count: points.count)
        let order = points.indices.filter { points[$0].cost.isFinite && points[$0].loss.isFinite }.sorted {
            (points[$0].cost, points[$0].loss) < (points[$1].cost, points[$1].loss)
        }
        var best: (cost: Double, loss: Double)?
        for index in order {
            let point = points[index]
            if let best, point.loss > best.loss || (point.loss == best.loss && point.cost > best.cost) { continue }
            best = point
            isOnFront[index] = true
        }
        return isOnFront
    }
}
