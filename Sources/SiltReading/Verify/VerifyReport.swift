internal import DeltaKernels
package import SiltFormat
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
            self.init(file: error.file, tensor: error.tensor, what: error.message, code: error.code.name)
        }
    }

    /// How far a result is from the fine-tuned checkpoint (Formats/Silt.md, section 12.7).
    public struct Distance: Sendable, Hashable {
        /// |result - fine-tuned| / |fine-tuned - base|.
        public let l2: Double
        /// Largest |result - fine-tuned|.
        public let max: Double
        /// Cosine of result - base and fine-tuned - base.
        public let cosine: Double
        /// Share of values whose bits differ.
        public let changed: Double

        package init(_ receipt: Receipt) {
            (l2, max, cosine, changed) = (receipt.l2, receipt.max, receipt.cosine, receipt.changed)
        }
    }

    /// How far a tensor is.
    public struct TensorFidelity: Sendable {
        /// Its name.
        public let name: String
        /// Its distance.
        public let distance: Distance

        init(name: String, _ distance: Distance) {
            self.name = name
            self.distance = distance
        }
    }

    /// `exact` or `lossy`.
    public let contract: String
    /// Under the contract lossy, over all lossy tensors: measured against the fine-tuned checkpoint, else what the file says.
    public let fidelity: Distance?
    /// The same, tensor by tensor, where it was measured.
    public let tensorFidelity: [TensorFidelity]
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
    /// Roots that the file states.
    public let baseRoot: String, resultRoot: String
    /// Whether the files' SHA-256 were recomputed.
    public let sha256Checked: Bool
    /// Whether the rebuilt files were compared with a fine-tuned checkpoint.
    public let compared: Bool

    /// Whether everything is as it should be.
    public var identical: Bool { differences.isEmpty }
}
