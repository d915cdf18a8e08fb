/// What `Packer` wrote.
public struct PackReport: Sendable {
    /// Tensors and stored bytes of one kind of part.
    public struct Share: Sendable, Hashable {
        /// Tensors that have a part of this kind.
        public var tensors = 0
        /// Stored bytes of these parts, tables not counted.
        public var bytes = 0
    }

    /// `exact` or `lossy`.
    public let contract: String
    /// How a lossy file was made: names and values.
    public let packing: [(name: String, value: String)]
    /// How far a lossy result is from the fine-tuned checkpoint.
    public let distance: VerifyReport.Distance?
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
    public let encodings: [String: Share]
    /// Roots of the base and of the result, 64 hexadecimal digits each.
    public let baseRoot: String, resultRoot: String

    /// How many times smaller the Silt file is.
    public var ratio: Double { bytes > 0 ? Double(fineTunedBytes) / Double(bytes) : 0 }
    /// Bits of the Silt file for each parameter.
    public var bitsPerParameter: Double { parameters > 0 ? 8 * Double(bytes) / Double(parameters) : 0 }
}
