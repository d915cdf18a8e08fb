public import SiltFormat
public import SiltReading

/// What `Packer` wrote.
public struct PackReport: Sendable {
    /// What the file promises.
    public let contract: Contract
    /// How a lossy file was made: names and values.
    public let packing: [(name: String, value: String)]
    /// How far a lossy result is from the fine-tuned checkpoint.
    public let receipt: Receipt?
    /// What data said of the result, where data decided something.
    public let evaluations: [Inspection.Evaluation]
    /// Bytes of the Silt file, everything counted.
    public let bytes: Int
    /// Bytes of the files that it gives back, everything counted.
    public let fineTunedBytes: Int
    /// Values of all tensors.
    public let parameters: Int
    /// Wall-clock seconds.
    public let seconds: Double
    /// By kind: `copy`, `exact`, `xor`, `whole`; `tables` for the coders' tables, `files` for files that are no tensors.
    public let encodings: [String: EncodingShare]
    /// Roots of the base and of the result, 64 hexadecimal digits each; that of the result is nil if it is not known.
    public let baseRoot: String, resultRoot: String?

    package init(
        contract: Contract, packing: [(name: String, value: String)], receipt: Receipt?,
        evaluations: [Inspection.Evaluation], bytes: Int, fineTunedBytes: Int, parameters: Int, seconds: Double,
        encodings: [String: EncodingShare], baseRoot: String, resultRoot: String?
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
        self.baseRoot = baseRoot
        self.resultRoot = resultRoot
    }

    /// How many times smaller the Silt file is.
    public var ratio: Double { bytes > 0 ? Double(fineTunedBytes) / Double(bytes) : 0 }
    /// Bits of the Silt file for each parameter.
    public var bitsPerParameter: Double { parameters > 0 ? 8 * Double(bytes) / Double(parameters) : 0 }
}
