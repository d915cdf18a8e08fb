package import TensorTypes

extension TaskCheck.Metric {
    /// The report for programs.
    package var json: JSONValue {
        .members([
            "metric": .string(name), "use": .string(use), "examples": .integer(examples),
            "base": base.map { .number($0) } ?? .null, "finetuned": fineTuned.map { .number($0) } ?? .null,
            "recorded": recorded.map { .number($0) } ?? .null, "rebuilt": .number(rebuilt),
            "as_recorded": isAsRecorded.map { .bool($0) } ?? .null,
        ])
    }
}
