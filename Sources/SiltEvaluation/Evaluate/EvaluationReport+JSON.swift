package import TensorTypes

extension EvaluationReport {
    /// The report for programs.
    package var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("metric", metric.map { .string($0) } ?? .null), .init("value", value.map { .number($0) } ?? .null),
            .init("higher_is_better", higherIsBetter.map { .bool($0) } ?? .null),
            .init("examples", .integer(examples)), .init("data", data.isEmpty ? .null : .string(data)),
            .init("seconds", .number(seconds)),
        ]
        let taken = Set(members.map(\.key))
        members += measures.filter { !taken.contains($0.name) }.map { .init($0.name, .number($0.value)) }
        return .object(members)
    }
}
