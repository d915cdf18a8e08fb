internal import DeltaKernels

/// How `Packer` codes, and what it may replace.
package struct PackOptions: Sendable {
    /// Which codecs the packer may choose from.
    package enum CodecChoice: String, CaseIterable, Sendable {
        /// The smallest, measured tensor by tensor.
        case auto
        /// Only Silt's own entropy coder.
        case rans
        /// XOR and byte planes, coded with zstd.
        case zstd
        /// XOR and byte planes, coded with LZ4.
        case lz4
        /// XOR, not compressed.
        case none
    }

    /// Codecs to choose from.
    package var codec = CodecChoice.auto
    /// 1 (fast) to 22 (small): the zstd level of whatever is coded with zstd, and how much the packer tries.
    ///
    /// From 3 on it looks for predictions. Level 1 reads every file once and codes exact tensors with tables from a sample.
    package var level = 3
    /// What may stand for the base where a tensor stays exact.
    package enum Prediction: String, CaseIterable, Sendable {
        /// A low-rank product added to the base, where that is measured to be smaller; from level 3 on.
        case auto
        /// The base alone: packs and unpacks faster.
        case none
    }

    /// Whether low-rank predictions are tried.
    package var prediction = Prediction.auto
    /// How tensors are pruned and quantised; nil for the exact contract.
    package var lossy: LossyOptions?
    /// The name that a single file is recorded under; nil: its own.
    package var name: String?
    /// Whether an existing output may be replaced.
    package var replaceExisting = false

    /// The defaults: `auto`, level 3, exact, no replacement.
    package init() {}

    /// Whether low-rank predictions are looked for.
    var predicts: Bool { prediction == .auto && level >= 3 }
    /// Whether tables come from a sample of cells, so that every file is read once.
    var samples: Bool { level == 1 && lossy == nil }
}
