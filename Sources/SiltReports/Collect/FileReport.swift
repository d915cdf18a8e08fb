internal import DeltaKernels
package import SiltEvaluation
package import SiltFormat
package import SiltReading

/// What a Silt file is, costs and gives back: what `silt verify --report` draws.
package struct FileReport: Sendable {
    /// The rescale factors q of a tensor: one, or one for each row.
    package struct Factors: Sendable, Hashable {
        /// The least, the median (of an even number the upper one) and the largest.
        package let least: Double, median: Double, largest: Double
        /// How many there are.
        package let count: Int

        /// Those of `values`; nil if there are none.
        package init?(_ values: [Double]) {
            let sorted = values.sorted()
            guard let least = sorted.first, let largest = sorted.last else { return nil }
            (self.least, median, self.largest) = (least, sorted[sorted.count / 2], largest)
            count = sorted.count
        }
    }

    /// A tensor of the result.
    package struct Layer: Sendable {
        /// Its name, dtype, shape, kind, coding and bytes.
        package let tensor: Inspection.Tensor
        /// What it is part of: the name up to the component after the first number, numbers replaced by `N`, like
        /// `encoder.layer.N.attention`.
        package let group: String
        /// Whether it is near the fine-tuned tensor only; false if it is equal.
        package let isLossy: Bool
        /// Its rescale factors, where it has any.
        package let factors: Factors?
        /// The share of elements that a seeded mask keeps, 1 - p, where the tensor has one over its elements.
        package let keep: Double?
        /// How far the tensor is from the fine-tuned one: measured if that was at hand, else what the file says.
        package let receipt: Receipt?
        /// What the file says.
        package let recordedReceipt: Receipt?
        /// Magnitudes of the rebuilt delta; nil for tensors without a base or of integers.
        package let rebuiltDelta: DeltaHistogram?
        /// Magnitudes of the fine-tuned delta, if a fine-tuned checkpoint was at hand.
        package let fineTunedDelta: DeltaHistogram?
    }

    /// What the three things are called: paths, as they were given.
    package let base: String, file: String, fineTuned: String?
    /// What the file says of itself.
    package let inspection: Inspection
    /// What verification found.
    package let verification: VerifyReport
    /// The tensors, in the order of the file.
    package let layers: [Layer]
    /// Stored bytes of tables that tensors share.
    package let tableBytes: Int
    /// How good the models are; filled by whoever can run them.
    package var metrics: [TaskCheck.Metric] = []

    /// What the file promises.
    package var contract: Contract { inspection.contract }
    /// Bytes of all files that come back, and of the Silt file.
    package var fineTunedBytes: Int { inspection.fineTunedBytes }
    /// Bytes of the Silt file.
    package var fileBytes: Int { inspection.bytes }
    /// Values of all tensors.
    package var parameters: Int { inspection.parameters }
    /// How the file was made: names and values.
    package var packing: [(name: String, value: String)] { inspection.packing }
    /// Over all lossy tensors: measured against the fine-tuned checkpoint, else what the file says.
    package var receipt: Receipt? { verification.receipt }
    /// Where something is not as it should be.
    package var differences: [VerifyReport.Difference] { verification.differences }
    /// Whether the file gives back what it promises, and every metric is as recorded.
    package var isAsPromised: Bool { verification.identical && metrics.allSatisfy { $0.isAsRecorded ?? true } }
    /// Stored bytes of files that are no safetensors files.
    package var otherFileBytes: Int {
        inspection.files.filter { $0.kind != .safetensors }.reduce(0) { $0 + $1.storedBytes }
    }
}
