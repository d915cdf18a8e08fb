internal import Safetensors
internal import ByteSources
internal import TensorTypes

/// The index of an update: what it is made from, and how.
struct WeightSyncIndex {
    let version: String
    let baseVersion: String
    let encoding: WeightSync.Encoding
    let checksum: WeightSync.Checksum
    /// The file of each changed tensor.
    let weightMap: [String: String]

    /// Reads the index in `directory`.
    ///
    /// Throws `header` for fields that are absent or wrong, `usage` for formats that Silt does not know.
    init(in directory: String) throws(SiltError) {
        let path = DirectoryListing.join(directory, ShardIndex.fileName)
        // Checks size, syntax and paths.
        weightMap = try ShardIndex(path: path).weightMap
        // It was checked a moment ago.
        let metadata = try JSONFile(path, limit: ShardIndex.limit, name: "the index", code: .changed).value["metadata"]
        func text(_ field: String) throws(SiltError) -> String {
            guard case .string(let text)? = metadata?[field] else {
                throw SiltError(
                    .header, "the index's metadata lack the string \"\(field)\"", file: path,
                    advice: "is this the directory of a weight update?")
            }
            return text
        }
        func known<Value: RawRepresentable & CaseIterable>(
            _ field: String, _: Value.Type
        ) throws(SiltError) -> Value where Value.RawValue == String {
            let name = try text(field)
            guard let value = Value(rawValue: name) else {
                let names = Value.allCases.map(\.rawValue).joined(separator: " and ")
                throw SiltError(.usage, "\"\(field)\" is \"\(name)\"; \(names) are supported", file: path)
            }
            return value
        }
        version = try text("version")
        baseVersion = try text("base_version")
        encoding = try known("delta_encoding", WeightSync.Encoding.self)
        checksum = try known("checksum_format", WeightSync.Checksum.self)
        guard try text("compression_format") == "zstd" else {
            throw SiltError(
                .usage, "\"compression_format\" is \"\(try text("compression_format"))\"; zstd is supported", file: path
            )
        }
    }

    /// The text of an index whose tensors are all in `file`.
    static func text(
        version: Int, baseVersion: Int, _ encoding: WeightSync.Encoding, _ checksum: WeightSync.Checksum,
        names: [String], file: String
    ) -> [UInt8] {
        func digits(_ version: Int) -> JSONValue {
            let text = String(version)
            return .string(String(repeating: "0", count: max(0, 6 - text.utf8.count)) + text)
        }
        return JSONValue.members([
            "metadata": .members([
                "version": digits(version), "base_version": digits(baseVersion),
                "delta_encoding": .string(encoding.rawValue), "compression_format": .string("zstd"),
                "checksum_format": .string(checksum.rawValue),
            ]),
            "weight_map": .object(names.map { .init($0, .string(file)) }),
        ]).serialized()
    }
}
