internal import SiltPacking
package import TensorTypes

extension SweepReport {
    /// The report for programs.
    package var json: JSONValue {
        .members([
            "metric": .string(metric), "higher_is_better": .bool(higherIsBetter), "examples": .integer(examples),
            "data": .string(data), "base": .string(base), "finetuned": .string(fineTuned),
            "base_metric": baseMetric.map { .number($0) } ?? .null, "finetuned_metric": .number(fineTunedMetric),
            "finetuned_bytes": .integer(fineTunedBytes), "exact_bytes": exactBytes.map { .integer($0) } ?? .null,
            "parameters": .integer(parameters), "seeds": .integer(seeds), "seconds": .number(seconds),
            "rows": .array(rows.map(\.json)),
        ])
    }
}

extension SweepReport.Row {
    fileprivate var json: JSONValue {
        .members([
            "method": .string(method), "options": choice.json, "drop": drop.map { .number($0) } ?? .null,
            "values": values.map { .string($0.rawValue) } ?? .null, "bytes": bytes.json, "metric": metric.json,
            "divergence": divergence.json,
            "q": rescale?.json ?? .null, "best_metric": .bool(isOnFront),
            "best_divergence": .bool(isOnDivergenceFront),
        ])
    }
}

extension SweepReport.Spread {
    fileprivate var json: JSONValue {
        .members([
            "mean": .number(mean), "deviation": .number(deviation), "least": .number(least),
            "largest": .number(largest), "count": .integer(count),
        ])
    }
}
