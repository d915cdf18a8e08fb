internal import SiltReading
public import Workers
internal import Logging
package import Safetensors
package import SiltFormat
internal import Synchronization
internal import ByteSources
public import TensorTypes

/// Packs a fine-tuned checkpoint as its exact difference from a base.
public struct Packer: Sendable {
    /// How to code.
    public var options: PackOptions
    /// Threads, log, progress and cancellation.
    public var context: WorkContext

    /// A packer.
    public init(_ context: WorkContext, _ options: PackOptions = PackOptions()) {
        self.options = options
        self.context = context
    }

    /// Packs `fineTuned` against `base` into the file `output`, which appears whole or not at all.
    ///
    /// - Parameters:
    ///   - base: a directory in Hub layout or a `.safetensors` file.
    ///   - fineTuned: the same. Every file of a directory is packed, whatever it is.
    ///   - output: path of the Silt file.
    /// - Returns: sizes and shares.
    /// - Throws: `SiltError`: `inputMissing`, `header` or `truncated` for the inputs, `cannotCreate` or `io` for the output,
    ///   `changed` if an input changes meanwhile, `interrupted`.
    public func pack(base: String, fineTuned: String, to output: String) throws(SiltError) -> PackReport {
        try run(base: base, fineTuned: fineTuned, output).report
    }

    /// Packs a checkpoint that is open, wherever it is, likewise.
    package func pack(base: Checkpoint, result: Checkpoint, to output: String) throws(SiltError) -> PackReport {
        try run(base, result, output).report
    }

    /// Packs without writing: the report that `pack` would give.
    public func measure(base: String, fineTuned: String) throws(SiltError) -> PackReport {
        try run(base: base, fineTuned: fineTuned, nil).report
    }

    /// What packing leaves behind for those who look closer.
    package struct Outcome {
        package let report: PackReport
        package let manifest: Manifest
        package let table: ChunkTable
        /// The tensors, as tasks that can be read again.
        package let tensors: [TensorTask]
    }

    /// Packs into the file `output`, or into nowhere.
    package func run(base: String, fineTuned: String, _ output: String?) throws(SiltError) -> Outcome {
        try run(try Checkpoint.asBase(base), try Checkpoint.asResult(fineTuned), output)
    }

    private func run(
        _ baseCheckpoint: Checkpoint, _ result: Checkpoint, _ output: String?
    ) throws(SiltError) -> Outcome {
        let clock = ContinuousClock()
        let begin = clock.now
        if let output {
            try OutputGuard.check(output, outside: result)
            try OutputGuard.check(output, files: [], checkpoints: [baseCheckpoint, result])
        }
        for directory in DirectoryListing.skipped.sorted()
        where output != nil && result.form == .directory
            && DirectoryListing.kind(of: result.path(of: directory)) == .directory
        {
            context.log.notice("leaving out \(directory) of \(result.path)")
        }
        try options.lossy?.check()
        if let lossy = options.lossy, (lossy.residual ?? lossy.method) == .wanda, options.tuning?.norms.isEmpty ?? true
        {
            throw SiltError(
                .usage, "method wanda needs data: it weighs elements by the inputs of their layers",
                advice: "give \(option: .calibration) DATA, or use \(option: .method) magnitude")
        }
        if let lossy = options.lossy, lossy.curvature, options.tuning?.curvature == nil {
            throw SiltError(
                .usage, "curvature needs data: it measures how errors affect the model's outputs",
                advice: "give \(option: .calibration) DATA, or leave \(option: .curvature) out")
        }
        // Early: nobody wants to hear after an hour that the output exists.
        let writer =
            try output.map { path throws(SiltError) in
                try ContainerWriter(at: path, replacing: options.replaceExisting)
            } ?? ContainerWriter()
        let bases = baseCheckpoint.tensors.map { BaseTask($0) }
        let corrected = Set(options.tuning?.corrections.keys.map { $0 } ?? [])
        let policy = try options.lossy.map { lossy throws(SiltError) in try TensorPolicy(lossy, corrected: corrected) }
        let files = try fileTasks(result, baseCheckpoint, bases, policy)
        let pipeline = context.pipeline
        let chooser = CodingChooser(options)
        try MeasurePass(files: files, bases: bases, chooser: chooser, pipeline: pipeline).run(context.progress)
        Packer.settleGroups(files, chooser.groupCodings())
        var lossy: LossyEncoder?
        if let lossyOptions = options.lossy {
            let tensors = settleLossy(files)
            lossy = try LossyEncoder(lossyOptions, options.tuning, tensors, pipeline, context.progress)
        }
        try encode(
            EncodePass(files: files, bases: bases, options: options, lossy: lossy, pipeline: pipeline), into: writer)
        var manifest = try Packer.manifest(result, files, bases, options.lossy == nil ? .exact : .lossy)
        if let lossy = options.lossy { Packer.describe(&manifest, lossy, options.tuning, files) }
        let table = writer.table
        let bytes = try writer.finish(manifest)
        let report = PackReport(
            contract: manifest.contract, packing: manifest.packing,
            receipt: manifest.receipt, evaluations: manifest.evaluations.map { .init($0) },
            bytes: bytes, fineTunedBytes: manifest.bytes,
            parameters: manifest.result.parameters,
            seconds: begin.duration(to: clock.now).inSeconds,
            encodings: EncodingShares.of(manifest, table), baseRoot: manifest.base.root,
            resultRoot: manifest.resultRoot)
        let tensors = files.flatMap { file -> [TensorTask] in
            guard case .safetensors(_, let tensors) = file.content else { return [] }
            return tensors
        }
        return Outcome(report: report, manifest: manifest, table: table, tensors: tensors)
    }

    /// The second pass; with predictions in batches, so that those of few tensors are in memory.
    private func encode(_ pass: EncodePass, into writer: ContainerWriter) throws(SiltError) {
        let predicted = options.predicts ? PredictPass.bytes(of: pass.tensors(of: pass.all)) : 0
        let meter = ProgressMeter("packing", total: pass.bytes + predicted, context.progress)
        guard options.predicts else {
            try pass.run(pass.all, into: writer, meter)
            return
        }
        var predictions = PredictPass(pipeline: context.pipeline)
        for batch in pass.batches {
            let tensors = pass.tensors(of: batch)
            try predictions.run(tensors, meter)
            try pass.run(batch, into: writer, meter)
            for segment in tensors.lazy.flatMap(\.segments) { segment.prediction.withLock { $0?.release() } }
        }
    }

    /// What is to be done for every file of the result.
    private func fileTasks(
        _ result: Checkpoint, _ base: Checkpoint, _ bases: [BaseTask], _ policy: TensorPolicy?
    ) throws(SiltError) -> [FileTask] {
        let matcher = BaseMatcher(base)
        let byName = Dictionary(bases.map { (ByteName($0.tensor.name), $0) }, uniquingKeysWith: { first, _ in first })
        let safetensors = Set(result.safetensorsFiles.map { ByteName($0) })
        let areDirectories = base.form == .directory && result.form == .directory
        let baseFiles = Set(areDirectories ? base.files.map { ByteName($0) } : [])
        var tasks: [FileTask] = []
        for path in result.files {
            if safetensors.contains(ByteName(path)), let file = try open(path, of: result) {
                let tensors = file.header.entries.map { entry -> TensorTask in
                    let match = matcher.match(entry.name, entry.info).flatMap { byName[ByteName($0.name)] }
                    if let match, match.tensor.name != entry.name {
                        context.log.debug("\(entry.name): predicted from the base's \(match.tensor.name)")
                    } else if match == nil {
                        context.log.debug("\(entry.name): not in the base, stored whole")
                    }
                    let fate = policy?.fate(entry.name, entry.info) ?? .exact
                    return TensorTask(entry, in: file, base: match, fate: fate, isSampled: options.samples)
                }
                tasks.append(FileTask(storedPath(path, of: result), file, tensors))
            } else {
                let candidate = baseFiles.contains(ByteName(path)) ? try base.source(path) : nil
                tasks.append(FileTask(path, try result.source(path), base: candidate))
            }
        }
        return tasks
    }

    /// The path that the file records.
    ///
    /// A directory's are checked as they are listed; that of a single file is a proposal, and an odd name gives way.
    private func storedPath(_ path: String, of result: Checkpoint) -> String {
        if result.form == .file, let name = options.name { return name }
        guard result.form == .file, (try? RelativePath.check(path)) == nil else { return path }
        return "model.safetensors"
    }

    /// Opens a safetensors file of the result.
    ///
    /// One that breaks the rules, and is not the model, is kept as it is.
    private func open(_ path: String, of result: Checkpoint) throws(SiltError) -> SafetensorsFile? {
        do throws(SiltError) {
            return try result.open(path)
        } catch  where error.code == .header || error.code == .truncated {
            context.log.notice("\(path) is not valid safetensors and is kept byte for byte: \(error.text)")
            return nil
        }
    }

    /// Gives the segments of small tensors the tables of their group.
    private static func settleGroups(_ files: [FileTask], _ groups: [DType: Segment.Coding]) {
        for case .safetensors(_, let tensors) in files.map(\.content) {
            for tensor in tensors {
                for segment in tensor.segments {
                    segment.coding.withLock { coding in
                        if case .exactInGroup = coding { coding = groups[tensor.info.dtype] }
                    }
                }
            }
        }
    }

    private static func manifest(
        _ result: Checkpoint, _ files: [FileTask], _ bases: [BaseTask], _ contract: Contract
    ) throws(SiltError) -> Manifest {
        var records: [FileRecord] = []
        for file in files { records.append(try FileRecord(of: file)) }
        let baseTensors = bases.map {
            (name: $0.tensor.name, info: $0.tensor.info, digest: $0.digests.tree ?? Digest128(pieces: []))
        }
        let tensors = records.flatMap { record -> [TensorRecord] in
            guard case .safetensors(_, let tensors) = record.content else { return [] }
            return tensors
        }
        return Manifest(
            contract: contract, writer: SiltVersion.writer, form: result.form == .file ? .file : .directory,
            base: Identity(
                root: CheckpointRoot.root(of: baseTensors), tensors: baseTensors.count,
                parameters: baseTensors.reduce(0) { $0 + $1.info.parameters }),
            result: Identity(
                root: CheckpointRoot.root(of: tensors) ?? "", tensors: tensors.count,
                parameters: tensors.reduce(0) { $0 + $1.info.parameters }),
            bytes: records.reduce(0) { $0 + $1.bytes }, files: records)
    }
}
