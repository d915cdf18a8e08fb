package import TensorTypes

extension AdapterExporter.Report {
    /// The report for programs.
    package var json: JSONValue {
        .members([
            "modules": .integer(modules), "saved": .integer(saved),
            "left_out": .array(leftOut.map { .string($0) }), "seconds": .number(seconds),
        ])
    }
}
