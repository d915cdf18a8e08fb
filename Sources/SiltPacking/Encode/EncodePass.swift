internal import ByteSources
internal import Safetensors
internal import SiltFormat
internal import SiltReading
internal import TensorTypes
internal import Workers

/// The packer's second pass: codes every chunk as the plan says, and takes the SHA-256 of files.
///
/// Workers code; chunks enter the file in their order. Where the first pass has measured a sample only, this is the one that
/// takes the digests.
struct EncodePass {
    /// What lossy tensors are made with.
    struct Lossy: Sendable {
        let selection: LossySelection
        let encoder: LossyEncoder
    }

    /// What a job puts into the file.
    private enum Output: Sendable {
        case nothing
        case chunk([UInt8])
        case lossy(LossyTensor)
    }

    let plan: PackPlan
    let options: PackOptions
    let lossy: Lossy?
    /// An exact encoding of the same plan: what stays as it is there is copied.
    let earlier: EarlierChunks?
    let context: WorkContext

    /// Codes everything into a file; with predictions in batches, so that those of few tensors are in memory.
    func run(into writer: ContainerWriter) throws(SiltError) -> Encoded {
        let jobs = EncodeJobs(plan, lossy?.selection)
        let digests = DigestBook(plan)
        let ledger = EncodeLedger(plan, writer)
        var predictions = PredictPass(plan, earlier: earlier?.encoded.traces ?? [:], context.pool)
        if options.predicts {
            let meter = meter(jobs.bytes + predictions.bytes(of: jobs.all.tensors.filter(isExact)))
            for batch in jobs.batches {
                let predicted = try predictions.run(batch.tensors.filter(isExact), meter)
                ledger.add(predicted.traces)
                try run(batch, predicted, digests, ledger, meter)
            }
        } else {
            try run(jobs.all, Predicted(), digests, ledger, meter(jobs.bytes))
        }
        return try ledger.encoded(plan, options, isLossy: lossy != nil, fate, digests)
    }

    private func meter(_ bytes: Int) -> ProgressMeter { ProgressMeter("packing", total: bytes, context.progress) }

    private func fate(_ tensor: PackTensor) -> TensorPolicy.Fate { lossy?.selection[tensor] ?? .exact }

    private func isExact(_ tensor: PackTensor) -> Bool { fate(tensor) == .exact }

    private func run(
        _ batch: EncodeJobs.Batch, _ predicted: Predicted, _ digests: DigestBook, _ ledger: EncodeLedger,
        _ meter: ProgressMeter
    ) throws(SiltError) {
        let cells = CellEncoder(options: options, measured: plan.measured, digests: digests)
        let (jobs, source) = (batch.jobs, SegmentSource(plan: plan, predicted: predicted, earlier: earlier))
        let (input, lossy, earlier, cancellation) = (plan.input, lossy, earlier, context.cancellation)
        let plan = plan
        try context.pool.run(
            count: jobs.count, loose: batch.loose, ahead: context.pool.lookahead,
            makeWorker: { EncodeWorker() },
            work: { (worker, index) throws(SiltError) -> Output in
                switch jobs[index] {
                case .sha256(let file):
                    let sha256: String
                    if let known = earlier?.encoded.sha256[file] {
                        sha256 = known
                    } else {
                        sha256 = try input.files[file].input.sha256(worker.result) { () throws(SiltError) in
                            try cancellation.check()
                        }
                    }
                    digests.set(sha256: sha256, file)
                    return .nothing
                case .base(let loose):
                    let digest = try worker.base.digest(loose.base.tensor, loose.base.grid.range(loose.cell))
                    try digests.check(loose.base, loose.cell, digest)
                    return .nothing
                case .cell(let tensor, let segment, let cell):
                    let chunk = try source.chunk(tensor, segment, cell, cells, worker)
                    let elements = tensor.grid.range(cell).clamped(to: segment.elements).count
                    meter.add(elements * tensor.info.dtype.elementBytes, tensor.name)
                    return .chunk(chunk)
                case .lossy(let tensor, let fate):
                    guard let lossy else { throw tensor.fault("a tensor is lossy in an exact file") }
                    let outcome = try lossy.encoder.encode(plan.known(tensor), as: fate, worker.lossy)
                    meter.add(tensor.knownElements * tensor.info.dtype.elementBytes, tensor.name)
                    return .lossy(outcome)
                case .piece(let file, let piece):
                    let chunk = try source.chunk(file, piece, cells, worker)
                    meter.add(file.piece(piece).count, file.path)
                    return .chunk(chunk)
                }
            },
            commit: { (index, output) throws(SiltError) in
                switch (jobs[index], output) {
                case (.lossy(let tensor, _), .lossy(let outcome)): try ledger.append(outcome, tensor)
                case (.cell(let tensor, let segment, _), .chunk(let chunk)):
                    try ledger.append(chunk, segment, source.coding(tensor, segment)) { () throws(SiltError) in
                        try source.prediction(tensor, segment)
                    }
                case (.piece(let file, _), .chunk(let chunk)): try ledger.append(chunk, file)
                default: throw SiltError.fault("a job brought what is not its own")
                }
            })
    }
}
