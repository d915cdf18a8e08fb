package import Workers
internal import DeltaCodecs
internal import Safetensors
package import SiltFormat
internal import Synchronization
internal import ByteSources
package import TensorTypes

/// Rebuilds what a Silt file holds and gives it to a sink, piece by piece: the one way back, for unpack and verify
/// alike.
///
/// Every chunk, every base tensor and every rebuilt tensor or file is checked.
package struct Rebuilder: Sendable {
    /// Takes `bytes` of file `file` (an index into the manifest's files) that belong at `offset`: the first of the worker's
    /// result, which may be kept if another buffer takes its place.
    ///
    /// Any thread, any order.
    package typealias Sink =
        @Sendable (
            _ worker: DecodeWorker, _ file: Int, _ offset: Int, _ name: String?, _ bytes: UnsafeRawBufferPointer
        ) throws(SiltError) -> Void

    /// Told of an error of one tensor or file; what it throws ends the work.
    package typealias Verdict = @Sendable (SiltError) throws(SiltError) -> Void

    /// What is to be done, in the order of the manifest; the base has what it needs.
    package struct Plan: Sendable {
        fileprivate enum Job: Sendable {
            case cell(RebuildTask, Int)
            case base(RebuildTask, Int)
            case piece(FileRebuild, Int)
        }

        fileprivate var jobs: [Job] = []
        fileprivate var bytes = 0
    }

    /// The verdict of those who want everything or nothing.
    package static let refuse: Verdict = { (error) throws(SiltError) in throw error }

    package let container: ContainerReader
    package let binding: BaseBinding
    package let pipeline: Pipeline
    /// Tensors to rebuild; nil for everything.
    package let tensors: Set<Int>?
    private let level: KernelLevel

    /// - Parameter tensors: indices into the manifest's tensors; then no other file is rebuilt. nil: all files.
    package init(
        _ container: ContainerReader, _ binding: BaseBinding, _ pipeline: Pipeline, tensors: Set<Int>? = nil,
        level: KernelLevel = .best
    ) {
        self.level = level
        self.container = container
        self.binding = binding
        self.pipeline = pipeline
        self.tensors = tensors
    }

    /// Rebuilds; errors of single tensors and files go to `verdict`, all others end the work.
    package func run(
        _ plan: Plan, _ phase: String, _ progress: Progress.Handler?, sink: @escaping Sink,
        verdict: @escaping Verdict
    ) throws(SiltError) {
        let jobs = plan.jobs
        let meter = ProgressMeter(phase, total: plan.bytes, progress)
        let (container, binding, reader) = (container, binding, PartReader(container, level: level))
        let level = level
        try pipeline.run(
            count: jobs.count, makeWorker: { DecodeWorker(level: level) },
            work: { (worker, index) throws(SiltError) in
                do throws(SiltError) {
                    switch jobs[index] {
                    case .cell(let task, let cell):
                        let size = try unsafe Rebuilder.rebuild(task, cell, reader, worker, sink)
                        meter.add(size, task.record.name)
                        try task.finishJob(binding)
                    case .base(let task, let cell):
                        guard let base = task.base else { return }
                        let range = base.info.grid.range(cell)
                        let read = try unsafe worker.base.read(base, range, as: base.info.dtype, hashing: true)
                        if let digest = unsafe read.digest { task.baseDigests.set(cell, digest) }
                        try task.finishJob(binding)
                    case .piece(let file, let piece):
                        let size = try unsafe file.rebuild(piece, container, worker, sink)
                        meter.add(size, file.record.path)
                    }
                } catch  where error.isVerdict {
                    try verdict(error)
                }
            })
    }

    /// The result's root follows from the digests that the manifest states.
    private func checkRoot() throws(SiltError) {
        let manifest = container.manifest
        // Digests that are not known, after q was changed, leave the root unknown.
        guard let root = CheckpointRoot.root(of: manifest.tensors) else { return }
        guard root != manifest.result.root else { return }
        throw SiltError(
            .result, "the tensors' digests have root \(root), the manifest states \(manifest.result.root)",
            file: container.path)
    }

    /// Plans the work, without reading a chunk.
    ///
    /// What the base lacks goes to `verdict`.
    package func plan(_ verdict: Verdict) throws(SiltError) -> Plan {
        if tensors == nil { try checkRoot() }
        var plan = Plan()
        var ordinal = 0
        for (index, file) in container.manifest.files.enumerated() {
            switch file.content {
            case .safetensors(_, let records):
                for record in records {
                    defer { ordinal += 1 }
                    guard tensors?.contains(ordinal) ?? true else { continue }
                    do throws(SiltError) {
                        let task = RebuildTask(record, file: index, base: try binding.tensor(for: record))
                        plan.jobs += (0..<record.info.grid.count).map { .cell(task, $0) }
                        plan.jobs += task.uncoveredBaseCells.map { .base(task, $0) }
                        plan.bytes += record.info.bytes
                        if record.info.grid.count == 0 { try task.judge(binding) }
                    } catch  where error.isVerdict {
                        try verdict(error)
                    }
                }
            case .stored, .base:
                guard tensors == nil else { continue }
                do throws(SiltError) {
                    let rebuild = try FileRebuild(file, index: index, binding)
                    plan.jobs += (0..<FileRecord.pieces(file.bytes)).map { .piece(rebuild, $0) }
                    plan.bytes += file.bytes
                    if file.bytes == 0 { try rebuild.judge() }
                } catch  where error.isVerdict {
                    try verdict(error)
                }
            }
        }
        return plan
    }

    /// Rebuilds a cell and gives it to the sink; returns its size in bytes.
    private static func rebuild(
        _ task: RebuildTask, _ cell: Int, _ reader: PartReader, _ worker: DecodeWorker, _ sink: Sink
    ) throws(SiltError) -> Int {
        let record = task.record
        let range = record.info.grid.range(cell)
        let width = record.info.dtype.elementBytes
        worker.result.reserve(range.count * width)
        let output = unsafe worker.result.prefix(range.count * width)
        var basePatterns: UnsafeRawPointer?
        let needed = task.baseRange(cell)
        if let base = task.base, let needed {
            let isWhole = cell < base.info.grid.count && base.info.grid.range(cell) == needed
            // What is rebuilt takes the place of the base's elements, where these lie as the result's do: one buffer is in the
            // cache, not two.
            let read = try unsafe worker.base.read(
                base, needed, as: record.info.dtype, hashing: isWhole,
                into: needed.lowerBound == range.lowerBound ? worker.result : nil)
            if let digest = unsafe read.digest { task.baseDigests.set(cell, digest) }
            unsafe basePatterns = read.patterns
        }
        for part in record.parts {
            let piece = range.clamped(to: part.elements)
            guard !piece.isEmpty else { continue }
            var base: UnsafeRawPointer?
            if part.kind != .whole, let needed, let patterns = unsafe basePatterns {
                unsafe base = patterns + (piece.lowerBound - needed.lowerBound) * width
            }
            let target = unsafe worker.result.start + (piece.lowerBound - range.lowerBound) * width
            let failure = try unsafe reader.read(
                part, of: record, cell: cell - part.elements.lowerBound / record.info.grid.cell, base: base,
                into: target, count: piece.count, worker)
            if let failure {
                task.failure.withLock { if $0 == nil { $0 = failure } }
                return output.count
            }
        }
        let bytes = UnsafeRawBufferPointer(output)
        unsafe task.resultDigests.set(cell, Digest128(of: bytes))
        try unsafe sink(worker, task.file, record.range.lowerBound + range.lowerBound * width, record.name, bytes)
        return output.count
    }
}

extension SiltError {
    /// Whether the error judges one tensor or file, so that others can still be judged.
    fileprivate var isVerdict: Bool {
        switch code {
        case .baseMissing, .baseDType, .baseShape, .baseContent, .result: true
        default: false
        }
    }
}
