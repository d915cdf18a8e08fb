internal import SiltReading
package import Workers
internal import DeltaCodecs
internal import Safetensors
internal import SiltFormat
package import TensorTypes

/// Verifies a Silt file and looks at what it rebuilds, in one pass.
package struct FileReporter: Sendable {
    /// Whether to recompute the SHA-256 of every file as well.
    package var checksSHA256: Bool
    /// Threads, log, progress and cancellation.
    package var context: WorkContext

    /// A reporter.
    package init(_ context: WorkContext, checksSHA256: Bool = false) {
        self.checksSHA256 = checksSHA256
        self.context = context
    }

    /// Rebuilds everything in memory, chunk by chunk, and describes it.
    ///
    /// - Parameters:
    ///   - base: the base that was packed against.
    ///   - file: the Silt file.
    ///   - fineTuned: the fine-tuned checkpoint to compare with; nil for none.
    /// - Returns: the report, without metrics; differences are in it, a wrong base among them.
    /// - Throws: `SiltError` if the Silt file is damaged or an input cannot be read.
    package func report(base: String, file: String, against fineTuned: String?) throws(SiltError) -> FileReport {
        let container = try ContainerReader(file)
        let binding = BaseBinding(checkpoint: try Checkpoint.asBase(base))
        let manifest = container.manifest
        let survey = DeltaSurvey(
            manifest, binding,
            fineTuned: try fineTuned.map { path throws(SiltError) in try Checkpoint.asResult(path) })
        let verification = try Verifier(context, checksSHA256: checksSHA256)
            .verify(container, binding, against: fineTuned, survey: survey)
        let inspection = Inspection(container)
        let measured = Dictionary(
            verification.tensorReceipts.map { (ByteName($0.name), $0.receipt) }, uniquingKeysWith: { $1 })
        let layers = zip(inspection.tensors, manifest.tensors).map { tensor, record in
            let histograms = survey.histograms(of: record.name)
            let matrices = record.parts.flatMap(\.components).flatMap(\.matrices)
            return FileReport.Layer(
                tensor: tensor, group: LayerGroup.name(of: record.name),
                isLossy: ReceiptMeasurement.isLossy(record, manifest),
                factors: FileReport.Factors(matrices.flatMap { $0.coding.q?.numbers ?? [] }),
                keep: matrices.lazy.compactMap(\.coding.keep).first,
                receipt: measured[ByteName(record.name)] ?? tensor.receipt, recordedReceipt: tensor.receipt,
                rebuiltDelta: histograms.rebuilt, fineTunedDelta: histograms.fineTuned)
        }
        return FileReport(
            base: base, file: file, fineTuned: fineTuned, inspection: inspection, verification: verification,
            layers: layers, tableBytes: inspection.encodings["tables"]?.bytes ?? 0)
    }
}

extension RescaleFactor {
    /// The factors.
    fileprivate var numbers: [Double] {
        switch self {
        case .all(let number): [number]
        case .rows(let numbers): numbers
        }
    }
}

extension MatrixCoding {
    /// The share of elements that a seeded mask over them keeps.
    fileprivate var keep: Double? {
        masks.lazy.compactMap { mask -> Double? in
            guard mask.over == .elements, case .seeded(_, let threshold) = mask.positions else { return nil }
            return 1 - SeededMask.rate(of: threshold)
        }.first
    }
}
