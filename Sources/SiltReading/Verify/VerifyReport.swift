public import SiltFormat
public import TensorTypes

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
        /// The class.
        public let kind: Kind

        /// Classes of differences.
        public enum Kind: Sendable, Hashable {
            /// What a reader would refuse.
            case error(SiltError.Code)
            /// The result is not the fine-tuned checkpoint.
            case against
            /// The receipt is not what was measured.
            case receipt

            /// The name: of errors that of Formats/Silt.md, section 9.
            public var name: String {
                switch self {
                case .error(let code): code.name
                case .against: "against"
                case .receipt: "receipt"
                }
            }
        }

        init(file: String?, tensor: String?, what: String, kind: Kind) {
            self.file = file
            self.tensor = tensor
            self.what = what
            self.kind = kind
        }

        init(_ error: SiltError) {
            self.init(file: error.file, tensor: error.tensor, what: error.message, kind: .error(error.code))
        }
    }

    /// The receipt of a tensor.
    public struct TensorReceipt: Sendable {
        /// Its name.
        public let name: String
        /// How far it is from the fine-tuned one.
        public let receipt: Receipt

        init(name: String, _ receipt: Receipt) {
            self.name = name
            self.receipt = receipt
        }
    }

    /// What the file promises.
    public let contract: Contract
    /// Under the contract lossy, over all lossy tensors: measured against the fine-tuned checkpoint, else what the file says.
    public let receipt: Receipt?
    /// The same, tensor by tensor, where it was measured.
    public let tensorReceipts: [TensorReceipt]
    /// Tensors whose digests the file does not know, since q was changed.
    public let unknownDigests: Int
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
    /// Roots that the file states; that of the result is nil if it is not known.
    public let baseRoot: String, resultRoot: String?
    /// Whether the files' SHA-256 were recomputed.
    public let sha256Checked: Bool
    /// Whether the rebuilt files were compared with a fine-tuned checkpoint.
    public let compared: Bool

    /// Whether everything is as it should be.
    public var identical: Bool { differences.isEmpty }
}
