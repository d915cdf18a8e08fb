package import Workers
internal import Logging
internal import Safetensors
package import SiltFormat
internal import Synchronization
internal import ByteSources
package import TensorTypes

/// Checks that a Silt file gives back what went in, without writing anything.
package struct Verifier: Sendable {
    /// Whether to recompute the SHA-256 of every file as well.
    ///
    /// The digests that are always checked cover the same bytes; this proves the recorded SHA-256, which a hub shows
    /// for the same file.
    package var checksSHA256: Bool
    /// Threads, log, progress and cancellation.
    package var context: WorkContext

    /// A verifier.
    package init(_ context: WorkContext, checksSHA256: Bool = false) {
        self.checksSHA256 = checksSHA256
        self.context = context
    }

    /// Rebuilds everything in memory, chunk by chunk, and compares.
    ///
    /// - Parameters:
    ///   - base: the base that was packed against.
    ///   - file: the Silt file.
    ///   - fineTuned: a checkpoint with which every byte of every rebuilt file is compared; nil for none.
    /// - Returns: the differences. A wrong base is a difference, not an error.
    /// - Throws: `SiltError` if the Silt file is damaged or an input cannot be read.
    package func verify(base: String, file: String, against fineTuned: String?) throws(SiltError) -> VerifyReport {
        try verify(
            ContainerReader(file), BaseBinding(checkpoint: Checkpoint.asBase(base)), against: fineTuned, survey: nil)
    }

    /// The same for a file that is open; `survey` sees every rebuilt cell too.
    package func verify(
        _ container: ContainerReader, _ binding: BaseBinding, against fineTuned: String?, survey: DeltaSurvey?
    ) throws(SiltError) -> VerifyReport {
        let clock = ContinuousClock()
        let begin = clock.now
        let manifest = container.manifest
        context.log.debug(
            "checking \(manifest.files.count) files, \(manifest.tensors.count) tensors, by \(manifest.writer)")
        let comparison = try fineTuned.map { path throws(SiltError) in try Comparison(manifest, path) }
        let receipts = try fineTuned.flatMap { path throws(SiltError) in
            manifest.contract == .lossy ? try ReceiptMeasurement(manifest, path, binding) : nil
        }
        let found = Mutex<[VerifyReport.Difference]>([])
        let starts = manifest.files.map(\.dataStart)
        let lossy = Set(manifest.tensors.filter { ReceiptMeasurement.isLossy($0, manifest) }.map { ByteName($0.name) })
        let verdict: Rebuilder.Verdict = { (error) throws(SiltError) in
            found.withLock { $0.append(VerifyReport.Difference(error)) }
        }
        let rebuilder = Rebuilder(container, binding, context.pool)
        try unsafe rebuilder.run(
            rebuilder.plan(verdict), "verifying", context.progress,
            sink: { (worker, index, offset, name, bytes) throws(SiltError) in
                if let name, lossy.contains(ByteName(name)) {
                    try unsafe receipts?.add(bytes, file: index, at: offset, tensor: name, worker)
                } else {
                    try unsafe comparison?.compare(
                        bytes, file: index, at: starts[index] + offset, tensor: name, worker)
                }
                if let name { try unsafe survey?.add(bytes, at: offset, tensor: name, worker) }
            }, verdict: verdict)
        var differences = found.withLock { $0 } + (comparison?.differences ?? [])
        if let receipts, differences.isEmpty { differences += receipts.differences(manifest) }
        if checksSHA256, differences.isEmpty {
            differences += try SHA256Check(container, binding, context.cancellation).differences()
        }
        return VerifyReport(
            contract: manifest.contract,
            receipt: receipts?.receipts.overall ?? manifest.receipt, tensorReceipts: receipts?.tensors ?? [],
            unknownDigests: manifest.tensors.filter { $0.digest == nil }.count,
            differences: Verifier.ordered(differences, manifest), tensors: manifest.result.tensors,
            files: manifest.files.count, bytes: manifest.bytes, seconds: begin.duration(to: clock.now).inSeconds,
            baseRoot: manifest.base.root, resultRoot: manifest.resultRoot, sha256Checked: checksSHA256,
            compared: fineTuned != nil)
    }

    /// Differences in the order of the manifest, whatever the order in which threads found them.
    private static func ordered(
        _ differences: [VerifyReport.Difference], _ manifest: Manifest
    ) -> [VerifyReport.Difference] {
        var ranks: [ByteName: Int] = [:]
        for (rank, tensor) in manifest.tensors.enumerated() {
            ranks[ByteName(tensor.name), default: rank] += 0
            for base in tensor.base?.baseTensors ?? [] { ranks[ByteName(base.name), default: rank] += 0 }
        }
        return differences.enumerated().sorted { a, b in
            let (first, second) = (
                ranks[ByteName(a.element.tensor ?? "")] ?? -1, ranks[ByteName(b.element.tensor ?? "")] ?? -1
            )
            return first != second ? first < second : a.offset < b.offset
        }.map(\.element)
    }
}
