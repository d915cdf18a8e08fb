internal import TensorTypes

/// What `Verifier` found.
public struct VerifyReport: Sendable {
    /// A place where something is not as it should be.
    public struct Difference: Sendable, Hashable {
        /// The file, where one differs.
        public let file: String?
        /// The tensor, where one differs.
        public let tensor: String?
        /// What differs, in words.
        public let what: String
        /// The class, as in Formats/Silt.md section 9, or `against` for a difference to the fine-tuned checkpoint.
        public let code: String

        init(file: String?, tensor: String?, what: String, code: String) {
            self.file = file
            self.tensor = tensor
            self.what = what
            self.code = code
        }

        init(_ error: SiltError) {
            self.init(file: error.file, tensor: error.tensor, what: error.message, code: error.code.rawValue)
        }
    }

    /// Where something differs, in the order of the file; empty if all is as it should be.
    public let differences: [Difference]
    /// Tensors checked.
    public let tensors: Int
    /// Files checked.
    public let files: Int
    /// Bytes rebuilt and checked.
    public let bytes: Int
    /// Wall-clock seconds.
    public let seconds: Double
    /// Roots that the file states.
    public let baseRoot: String, resultRoot: String
    /// Whether the files' SHA-256 were recomputed.
    public let sha256Checked: Bool
    /// Whether the rebuilt files were compared with a fine-tuned checkpoint.
    public let compared: Bool

    /// Whether everything is as it should be.
    public var identical: Bool { differences.isEmpty }
}
