package import SiltFormat
package import TensorTypes

/// What `Verifier` found.
package struct VerifyReport: Sendable {
    /// A place where something is not as it should be.
    package struct Difference: Sendable, Hashable {
        /// The file, where one differs.
        package let file: String?
        /// The tensor, where one differs.
        package let tensor: String?
        /// What differs, in words.
        package let what: String
        /// The class.
        package let kind: Kind

        /// Classes of differences.
        package enum Kind: Sendable, Hashable {
            /// What a reader would refuse.
            case error(SiltError.Code)
            /// The result is not the fine-tuned checkpoint.
            case against
            /// The receipt is not what was measured.
            case receipt

            /// The name: of errors that of Formats/Silt.md, section 9.
            package var name: String {
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
    package struct TensorReceipt: Sendable {
        /// Its name.
        package let name: String
        /// How far it is from the fine-tuned one.
        package let receipt: Receipt

        init(name: String, _ receipt: Receipt) {
            self.name = name
            self.receipt = receipt
        }
    }

    /// What the file promises.
    package let contract: Contract
    /// Under the contract lossy, over all lossy tensors: measured against the fine-tuned checkpoint, else what the file says.
    package let receipt: Receipt?
    /// The same, tensor by tensor, where it was measured.
    package let tensorReceipts: [TensorReceipt]
    /// Tensors whose digests the file does not know, since q was changed.
    package let unknownDigests: Int
    /// Where something differs, in the order of the file; empty if all is as it should be.
    package let differences: [Difference]
    /// Tensors checked.
    package let tensors: Int
    /// Files checked.
    package let files: Int
    /// Bytes rebuilt and checked.
    package let bytes: Int
    /// Wall-clock seconds.
    package let seconds: Double
    /// Roots that the file states; that of the result is nil if it is not known.
    package let baseRoot: String, resultRoot: String?
    /// Whether the files' SHA-256 were recomputed.
    package let sha256Checked: Bool
    /// Whether the rebuilt files were compared with a fine-tuned checkpoint.
    package let compared: Bool

    /// Whether everything is as it should be.
    package var identical: Bool { differences.isEmpty }
}
