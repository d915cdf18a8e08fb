internal import SiltFormat
internal import SiltReading
package import TensorTypes

extension PackReport {
    /// The report for programs.
    package var json: JSONValue {
        .members([
            "contract": .string(contract.rawValue),
            "packing": packing.json,
            "receipt": receipt?.json ?? .null,
            "evaluations": .array(evaluations.map(\.json)),
            "bytes": .integer(bytes),
            "finetuned_bytes": .integer(fineTunedBytes),
            "ratio": .number(ratio),
            "parameters": .integer(parameters),
            "bits_per_parameter": .number(bitsPerParameter),
            "seconds": .number(seconds),
            "encodings": encodings.json,
            "unmatched": findings.unmatched.json("tensors"),
            "training_state": findings.trainingState.json("files"),
            "base": .string(baseRoot),
            "result": resultRoot.map { .string($0) } ?? .null,
        ])
    }
}
