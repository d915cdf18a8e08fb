internal import SiltFormat
internal import Safetensors
package import TensorTypes

extension Inspection {
    /// What it says, for programs.
    package var json: JSONValue {
        .members([
            "contract": .string(contract.rawValue),
            "packing": packing.json,
            "receipt": receipt?.json ?? .null,
            "evaluations": .array(evaluations.map(\.json)),
            "finetuned": sourceRoot.map { .string($0) } ?? .null,
            "form": .string(form.rawValue),
            "writer": .string(writer),
            "bytes": .integer(bytes),
            "finetuned_bytes": .integer(fineTunedBytes),
            "overhead_bytes": .integer(overheadBytes),
            "parameters": .integer(parameters),
            "bits_per_parameter": .number(parameters > 0 ? 8 * Double(bytes) / Double(parameters) : 0),
            "metadata": .object(metadata.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) }),
            "base": .members([
                "root": .string(baseRoot), "tensors": .integer(baseTensors), "parameters": .integer(baseParameters),
            ]),
            "result": .members([
                "root": resultRoot.map { .string($0) } ?? .null, "tensors": .integer(tensors.count),
                "parameters": .integer(parameters),
            ]),
            "encodings": encodings.json,
            "files": .array(
                files.map {
                    .members([
                        "path": .string($0.path), "kind": .string($0.kind.rawValue), "bytes": .integer($0.bytes),
                        "stored_bytes": .integer($0.storedBytes), "sha256": $0.sha256.map { .string($0) } ?? .null,
                    ])
                }),
            "tensors": .array(
                tensors.map {
                    .members([
                        "name": .string($0.name), "file": .string($0.file), "dtype": .string($0.info.dtype.rawValue),
                        "shape": .array($0.info.shape.map { .integer($0) }), "kind": .string($0.kind),
                        "codec": .string($0.codec), "bytes": .integer($0.bytes),
                        "bits_per_parameter": .number($0.bitsPerParameter),
                        "base": $0.base.map { .string($0) } ?? .null,
                        "digest": $0.digest.map { .string($0.hex) } ?? .null,
                        "coding": .string($0.coding), "receipt": $0.receipt?.json ?? .null,
                    ])
                }),
        ])
    }
}

extension Inspection.Evaluation {
    /// The fields that it has in the manifest; `base` is null where it has none.
    package var json: JSONValue {
        .members([
            "data": .string(data), "use": .string(use.rawValue), "metric": .string(metric),
            "examples": .integer(examples),
            "base": base.map { .number($0) } ?? .null, "finetuned": .number(fineTuned), "rebuilt": .number(rebuilt),
        ])
    }
}

extension [(name: String, value: String)] {
    /// An object of strings.
    package var json: JSONValue { .object(map { .init($0.name, .string($0.value)) }) }
}
