package import SiltFormat
package import SiltReading

/// What `Packer` wrote.
package struct PackReport: Sendable {
    /// What the file promises.
    package let contract: Contract
    /// How a lossy file was made: names and values.
    package let packing: [(name: String, value: String)]
    /// How far a lossy result is from the fine-tuned checkpoint.
    package let receipt: Receipt?
    /// What data said of the result, where data decided something.
    package let evaluations: [Inspection.Evaluation]
    /// Bytes of the Silt file, everything counted.
    package let bytes: Int
    /// Bytes of the files that it gives back, everything counted.
    package let fineTunedBytes: Int
    /// Values of all tensors.
    package let parameters: Int
    /// Wall-clock seconds.
    package let seconds: Double
    /// By kind: `copy`, `exact`, `xor`, `whole`; `tables` for the coders' tables, `files` for files that are no tensors.
    package let encodings: [String: EncodingShare]
    /// How little the base has of it, and what of it is no model.
    package let findings: PackFindings
    /// Roots of the base and of the result, 64 hexadecimal digits each; that of the result is nil if it is not known.
    package let baseRoot: String, resultRoot: String?

    package init(
        contract: Contract, packing: [(name: String, value: String)], receipt: Receipt?,
        evaluations: [Inspection.Evaluation], bytes: Int, fineTunedBytes: Int, parameters: Int, seconds: Double,
        encodings: [String: EncodingShare], findings: PackFindings = PackFindings(), baseRoot: String,
        resultRoot: String?
    ) {
        self.contract = contract
        self.packing = packing
        self.receipt = receipt
        self.evaluations = evaluations
        self.bytes = bytes
        self.fineTunedBytes = fineTunedBytes
        self.parameters = parameters
        self.seconds = seconds
        self.encodings = encodings
        self.findings = findings
        self.baseRoot = baseRoot
        self.resultRoot = resultRoot
    }

    /// How many times smaller the Silt file is.
    package var ratio: Double { bytes > 0 ? Double(fineTunedBytes) / Double(bytes) : 0 }
    /// Bits of the Silt file for each parameter.
    package var bitsPerParameter: Double { parameters > 0 ? 8 * Double(bytes) / Double(parameters) : 0 }
}
