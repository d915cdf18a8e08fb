package import TensorTypes

extension Unpacker.Report {
    /// The report for programs.
    package var json: JSONValue {
        .members([
            "files": .integer(files), "tensors": .integer(tensors), "bytes": .integer(bytes),
            "seconds": .number(seconds), "result": resultRoot.map { .string($0) } ?? .null,
            "unknown_digests": .integer(unknownDigests),
        ])
    }
}
