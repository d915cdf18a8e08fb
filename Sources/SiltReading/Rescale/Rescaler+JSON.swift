package import TensorTypes

extension Rescaler.Report {
    /// The report for programs.
    package var json: JSONValue {
        .members([
            "tensors": .integer(tensors), "removed_evaluations": .integer(removedEvaluations),
            "bytes": .integer(bytes), "result": resultRoot.map { .string($0) } ?? .null,
            "seconds": .number(seconds),
        ])
    }
}
