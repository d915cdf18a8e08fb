package import SiltPacking
internal import SiltReading
package import Workers
internal import Logging
internal import Safetensors
internal import SiltFormat
internal import Synchronization
internal import ByteSources
package import TensorTypes

/// Packs an adapter against its base: the file rebuilds the merged model, and gives the adapter back.
///
/// The contract is lossy in the sense of Formats/Silt.md: the merged model is what the text's arithmetic makes of base and
/// factors, the same bits on every machine; there is no other checkpoint that it could equal.
package struct AdapterPacker: Sendable {
    /// Random drop of the factors' elements (LoRA with DARE or DAREx-q); nil: factors as they are.
    package var lossy: LossyOptions?
    /// Whether an existing output may be replaced.
    package var replaceExisting: Bool
    /// Threads, log, progress and cancellation.
    package var context: WorkContext

    /// A packer of adapters.
    package init(_ context: WorkContext, _ lossy: LossyOptions? = nil, replaceExisting: Bool = false) {
        self.lossy = lossy
        self.replaceExisting = replaceExisting
        self.context = context
    }

    /// Packs the PEFT adapter `adapter` (LoRA or SHiRA) against `base` into the file `output`.
    ///
    /// - Throws: `usage` for adapters that are no sum over the base (DoRA and others, by name), `header` for malformed ones,
    ///   `baseMissing` or `baseShape` for those of another base; for the output as `Packer.pack`.
    package func pack(base: String, adapter: String, to output: String) throws(SiltError) -> PackReport {
        let clock = ContinuousClock()
        let begin = clock.now
        try lossy?.check()
        if let lossy, lossy.method != .random || lossy.residual != nil {
            throw SiltError(
                .usage, "the factors of an adapter can only be dropped at random, not by \(lossy.method.rawValue)",
                advice: "give \(option: .method) random, or merge the adapter and pack the merged model")
        }
        let checkpoint = try Checkpoint.asBase(base)
        let source = try Adapter(directory: adapter)
        if lossy != nil, source.configuration.kind != .lora {
            throw SiltError(
                .usage,
                "only the factors of LoRA can be dropped, not the values of \(source.configuration.kind.rawValue)",
                file: adapter)
        }
        let layout = try MergedLayout(source, base: checkpoint, context.cancellation)
        if lossy != nil, let name = layout.matcher.saved.foundations.keys.map(\.string).min() {
            throw SiltError(
                .usage, "the adapter has another tensor below its update, whose factors cannot be dropped",
                file: adapter, tensor: name, advice: "pack the adapter without \(option: .method)")
        }
        for note in layout.matcher.naming.notes { context.log.info("\(note)") }
        for notice in layout.matcher.saved.notices { context.log.notice("\(notice)") }
        try OutputGuard.check(output, files: [source.file.path, source.configuration.path], checkpoints: [checkpoint])
        let writer = try ContainerWriter(at: output, replacing: replaceExisting)
        let tensors = layout.models.flatMap(\.tensors)
        let encoder = AdapterEncoder(lossy)
        let records = Mutex<[AdapterEncoder.Outcome]>([])
        let meter = ProgressMeter("packing", total: tensors.reduce(0) { $0 + $1.info.bytes }, context.progress)
        let sink = AdapterSink(writer)
        try context.pool.run(
            count: tensors.count, ahead: context.pool.lookahead, makeWorker: { AdapterWorker() },
            work: { (worker, index) throws(SiltError) -> AdapterEncoder.Outcome in
                let outcome = try encoder.encode(tensors[index], worker)
                meter.add(tensors[index].info.bytes, tensors[index].name)
                return outcome
            },
            commit: { (_, outcome) throws(SiltError) in
                let written = try outcome.written(to: sink.writer)
                records.withLock { $0.append(written) }
            })
        let outcomes = records.withLock { $0 }
        tellOverflows(outcomes)
        let stored = try StoredTensors(layout.matcher.saved.hidden, of: source.file).write(context) {
            (chunk) throws(SiltError) in try sink.writer.append(chunk)
        }
        let files = try AdapterFiles(layout, checkpoint, context.cancellation).records(outcomes.map(\.record), writer)
        let manifest = manifest(source, layout, files, outcomes, stored)
        let table = writer.table
        let bytes = try writer.finish(manifest)
        return PackReport(
            contract: manifest.contract, packing: manifest.packing, receipt: nil, evaluations: [],
            bytes: bytes,
            fineTunedBytes: manifest.bytes, parameters: manifest.result.parameters,
            seconds: begin.duration(to: clock.now).inSeconds, encodings: EncodingShares.of(manifest, table),
            baseRoot: manifest.base.root, resultRoot: manifest.resultRoot)
    }

    /// The writer, which one thread at a time uses.
    private final class AdapterSink: @unchecked Sendable {
        let writer: ContainerWriter
        init(_ writer: ContainerWriter) { self.writer = writer }
    }

    /// Finite values that the dtype of the base cannot hold once they are added up: the adapter is whole, the merged model is not.
    private func tellOverflows(_ outcomes: [AdapterEncoder.Outcome]) {
        for outcome in outcomes where outcome.overflows > 0 {
            let dtype = outcome.record.info.dtype.rawValue
            let name = outcome.record.name
            context.log.notice(
                "\(outcome.overflows) values of \"\(name)\" overflow \(dtype), so the merged model has infinities: give the base in BF16 or F32"
            )
        }
    }

    private func manifest(
        _ adapter: Adapter, _ layout: MergedLayout, _ files: [FileRecord], _ outcomes: [AdapterEncoder.Outcome],
        _ stored: [AdapterRecord.Tensor]
    ) -> Manifest {
        let base = outcomes.compactMap(\.baseTensor)
        let records = outcomes.map(\.record)
        var manifest = Manifest(
            contract: .lossy, writer: SiltVersion.writer, form: layout.form == .file ? .file : .directory,
            base: Identity(
                root: CheckpointRoot.root(of: base), tensors: base.count,
                parameters: base.reduce(0) { $0 + $1.info.parameters }),
            result: Identity(
                root: CheckpointRoot.root(of: records) ?? "", tensors: records.count,
                parameters: records.reduce(0) { $0 + $1.info.parameters }),
            bytes: files.reduce(0) { $0 + $1.bytes }, files: files)
        manifest.packing = [(name: "adapter", value: adapter.configuration.kind.rawValue)]
        manifest.packing += (lossy?.summary ?? []).filter { $0.name != "vectors" && $0.name != "embeddings" }
        let repeats = layout.matcher.saved.repeats.map { entry, base in
            AdapterRecord.Tensor(
                name: entry.name, source: .result(of: layout.matcher.naming.resultName(ofBase: base)))
        }
        manifest.adapter = AdapterRecord(
            config: adapter.configuration.text, tensors: outcomes.flatMap(\.adapterTensors) + repeats + stored)
        return manifest
    }
}
