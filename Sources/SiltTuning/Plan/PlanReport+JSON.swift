internal import SiltFormat
package import TensorTypes

extension PlanReport {
    /// The report for programs.
    package var json: JSONValue {
        guard case .object(let members) = own, case .object(let walked) = pipeline?.json else { return own }
        return .object(members + walked)
    }

    private var own: JSONValue {
        .members([
            "finetuned_bytes": .integer(fineTunedBytes), "parameters": .integer(parameters),
            "lossy_parameters": .integer(lossyParameters), "sampled": .bool(isSampled), "seconds": .number(seconds),
            "groups": .array(
                groups.map {
                    .members([
                        "name": .string($0.name), "tensors": .integer($0.tensors),
                        "parameters": .integer($0.parameters),
                        "mean": .number($0.mean), "std": .number($0.deviation), "largest": .number($0.largest),
                        "unchanged": .number($0.unchanged), "kurtosis": .number($0.kurtosis),
                    ])
                }),
            "candidates": .array(
                candidates.map {
                    .members([
                        "options": $0.choice?.json ?? .null, "contract": .string($0.contract.rawValue),
                        "bytes": .integer($0.bytes), "bits_per_parameter": .number($0.bitsPerParameter),
                        "relative_l2": .number($0.relativeL2),
                    ])
                }),
            "advice": .array(advice.map(\.json)),
        ])
    }
}

extension PipelineReport {
    /// What a plan has besides, if the pipeline was walked.
    fileprivate var json: JSONValue {
        .members([
            "pipeline": .array(steps.map(\.json)),
            "choice": choice.json,
            "alternative": alternative?.json ?? .null,
            "recommended": .string(recommended.rawValue),
            "measured": .array(ways.map(\.json)),
            "reference": .members([
                "metric": metric.map { .string($0) } ?? .null,
                "finetuned": fineTunedMetric.map { .number($0) } ?? .null,
                "without_delta": metricWithoutDelta.map { .number($0) } ?? .null,
                "kl_without_delta": .number(divergenceWithoutDelta), "examples": .integer(examples),
            ]),
        ])
    }
}

extension PipelineReport.Step {
    fileprivate var json: JSONValue {
        .members([
            "node": .string(node.rawValue), "question": .string(question), "answer": .string(answer),
            "evidence": .string(words.evidence), "numbers": .object(numbers.map { .init($0.name, .number($0.value)) }),
            "leads_to": .string(words.leadsTo),
        ])
    }
}

extension PipelineReport.Way {
    /// The way for programs.
    package var json: JSONValue {
        .members([
            "name": .string(name), "options": choice?.json ?? .null, "bytes": .integer(bytes),
            "kl": .number(divergence),
            "metric": metric.map { .number($0) } ?? .null,
        ])
    }
}
