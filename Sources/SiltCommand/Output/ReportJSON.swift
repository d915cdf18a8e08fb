internal import DeltaKernels
internal import SiltPacking
internal import SiltReading
internal import TensorTypes

extension PackReport {
    /// The object that `pack --json` prints.
    var json: JSONValue {
        .members([
            "contract": .string(contract),
            "packing": packing.json,
            "fidelity": distance?.json ?? .null,
            "evaluations": .array(evaluations.map(\.json)),
            "bytes": .integer(bytes),
            "finetuned_bytes": .integer(fineTunedBytes),
            "ratio": .number(ratio),
            "parameters": .integer(parameters),
            "bits_per_parameter": .number(bitsPerParameter),
            "seconds": .number(seconds),
            "encodings": encodings.json,
            "base": .string(baseRoot),
            "result": .string(resultRoot),
        ])
    }
}

extension VerifyReport.Distance {
    /// The four numbers of a receipt.
    var json: JSONValue {
        .members([
            "relative_l2": .number(l2), "max_abs": .number(max), "cosine": .number(cosine), "changed": .number(changed),
        ])
    }
}

extension [(name: String, value: String)] {
    /// An object of strings.
    var json: JSONValue { .object(map { .init($0.name, .string($0.value)) }) }
}

extension Rescaler.Report {
    /// The object that `rescale --json` prints.
    var json: JSONValue {
        .members([
            "tensors": .integer(tensors), "removed_evaluations": .integer(removedEvaluations),
            "bytes": .integer(bytes), "result": resultRoot.isEmpty ? .null : .string(resultRoot),
            "seconds": .number(seconds),
        ])
    }
}

extension [String: EncodingShare] {
    /// By kind, in the order of the names.
    var json: JSONValue {
        .object(
            sorted { $0.key < $1.key }.map { kind, share in
                .init(kind, .members(["tensors": .integer(share.tensors), "bytes": .integer(share.bytes)]))
            })
    }
}

extension Unpacker.Report {
    /// The object that `unpack --json` prints.
    var json: JSONValue {
        .members([
            "files": .integer(files), "tensors": .integer(tensors), "bytes": .integer(bytes),
            "seconds": .number(seconds), "result": resultRoot.isEmpty ? .null : .string(resultRoot),
            "unknown_digests": .integer(unknownDigests),
        ])
    }
}

extension VerifyReport {
    /// The object that `verify --json` prints.
    var json: JSONValue {
        .members([
            "contract": .string(contract),
            "identical": .bool(identical),
            "fidelity": fidelity?.json ?? .null,
            "unknown_digests": .integer(unknownDigests),
            "tensors": .integer(tensors),
            "files": .integer(files),
            "bytes": .integer(bytes),
            "seconds": .number(seconds),
            "compared": .bool(compared),
            "sha256_checked": .bool(sha256Checked),
            "tensor_fidelity": .object(tensorFidelity.map { .init($0.name, $0.distance.json) }),
            "base": .string(baseRoot),
            "result": .string(resultRoot),
            "differences": .array(
                differences.map { difference in
                    var members: [JSONValue.Member] = []
                    if let file = difference.file { members.append(.init("file", .string(file))) }
                    if let tensor = difference.tensor { members.append(.init("tensor", .string(tensor))) }
                    members.append(.init("class", .string(difference.code)))
                    members.append(.init("what", .string(difference.what)))
                    return .object(members)
                }),
        ])
    }
}

extension Inspection {
    /// The object that `inspect --json` prints.
    var json: JSONValue {
        .members([
            "contract": .string(contract),
            "packing": packing.json,
            "fidelity": distance?.json ?? .null,
            "evaluations": .array(evaluations.map(\.json)),
            "finetuned": sourceRoot.map { .string($0) } ?? .null,
            "form": .string(form),
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
                "root": .string(resultRoot), "tensors": .integer(tensors.count), "parameters": .integer(parameters),
            ]),
            "encodings": encodings.json,
            "files": .array(
                files.map {
                    .members([
                        "path": .string($0.path), "kind": .string($0.kind), "bytes": .integer($0.bytes),
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
                        "coding": .string($0.coding), "fidelity": $0.distance?.json ?? .null,
                    ])
                }),
        ])
    }
}

extension Inspection.Evaluation {
    /// The fields that it has in the manifest; `base` is null where it has none.
    fileprivate var json: JSONValue {
        .members([
            "data": .string(data), "use": .string(use), "metric": .string(metric), "examples": .integer(examples),
            "base": base.map { .number($0) } ?? .null, "fine_tuned": .number(fineTuned), "rebuilt": .number(rebuilt),
        ])
    }
}
