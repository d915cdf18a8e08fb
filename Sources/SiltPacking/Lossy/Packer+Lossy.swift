internal import Workers
internal import SiltReading
internal import Logging
internal import Safetensors
internal import SiltFormat
internal import Synchronization
internal import TensorTypes

extension Packer {
    /// Hands the tensors that a lossy method takes over to it, after the first pass; gives these.
    ///
    /// What equals the base stays a copy, what is not finite stays exact.
    func settleLossy(_ files: [FileTask]) -> [TensorTask] {
        var chosen: [TensorTask] = []
        var taken = 0
        for case .safetensors(_, let tensors) in files.map(\.content) {
            for tensor in tensors where tensor.fate != .exact {
                guard let segment = tensor.segments.first, segment.hasBase else { continue }
                guard !tensor.hasNonFinite.load(ordering: .relaxed) else {
                    context.log.notice(
                        "\(tensor.entry.name) has infinities, NaNs or values of 2^127 and more, and stays exact")
                    continue
                }
                let isLossy = segment.coding.withLock { coding -> Bool in
                    let isCorrected = options.tuning?.corrections[tensor.entry.name] != nil
                    if case .copy = coding, !isCorrected { return false }
                    coding = .lossy
                    return true
                }
                taken += isLossy ? 1 : 0
                if isLossy, tensor.fate == .method { chosen.append(tensor) }
            }
        }
        if taken == 0 {
            context.log.notice(
                "no tensor is lossy: all tensors that changed are kept exact by default, or by \(option: .only) and \(option: .except)"
            )
        }
        return chosen
    }

    /// Adds to the manifest what only lossy files have.
    static func describe(
        _ manifest: inout Manifest, _ options: LossyOptions, _ tuning: LossyTuning?, _ files: [FileTask]
    ) {
        var sums = ReceiptSums()
        var source: [(name: String, info: TensorInfo, digest: Digest128)] = []
        for case .safetensors(_, let tensors) in files.map(\.content) {
            for tensor in tensors {
                source.append((tensor.entry.name, tensor.info, tensor.digests.tree ?? Digest128(pieces: [])))
                if let lossy = tensor.lossy.withLock({ $0 }) { sums.add(lossy.sums) }
            }
        }
        manifest.source = CheckpointRoot.root(of: source)
        manifest.receipt = sums.receipt
        manifest.packing = options.summary + (tuning?.notes ?? [])
        manifest.evaluations = tuning?.evaluations ?? []
    }
}
