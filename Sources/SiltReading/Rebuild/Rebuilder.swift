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
            case cell(TensorTask, Int)
            case base(BaseTask, Int)
            case piece(FileTask, Int)
        }

        fileprivate var jobs: [Job] = []
        fileprivate var bytes = 0
    }

    /// A file whose pieces any worker does; the one that does the last of them judges it.
    fileprivate final class FileTask: Sendable {
        let rebuild: FileRebuild
        /// Index of the result's file.
        let file: Int
        private let jobsLeft: Atomic<Int>

        init(_ rebuild: FileRebuild, file: Int, jobs: Int) {
            (self.rebuild, self.file) = (rebuild, file)
            jobsLeft = Atomic(jobs)
        }

        func finishJob() throws(SiltError) {
            guard jobsLeft.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { return }
            try rebuild.judge()
        }
    }

    /// The verdict of those who want everything or nothing.
    package static let refuse: Verdict = { (error) throws(SiltError) in throw error }

    package let container: ContainerReader
    package let binding: BaseBinding
    package let pool: WorkerPool
    /// Tensors to rebuild; nil for everything.
    package let tensors: Set<Int>?
    private let level: KernelLevel

    /// - Parameter tensors: indices into the manifest's tensors; then no other file is rebuilt. nil: all files.
    package init(
        _ container: ContainerReader, _ binding: BaseBinding, _ pool: WorkerPool, tensors: Set<Int>? = nil,
        level: KernelLevel = .best
    ) {
        self.level = level
        self.container = container
        self.binding = binding
        self.pool = pool
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
        try pool.run(
            count: jobs.count, makeWorker: { DecodeWorker(level: level) },
            work: { (worker, index) throws(SiltError) in
                do throws(SiltError) {
                    switch jobs[index] {
                    case .cell(let task, let cell):
                        let rebuild = task.rebuild
                        let size = rebuild.record.bytes(ofCell: cell)
                        if let error = try rebuild.rebuild(cell, reader, worker) {
                            task.fail(error)
                        } else {
                            let offset = rebuild.record.range.lowerBound + rebuild.record.offset(ofCell: cell)
                            let bytes = unsafe UnsafeRawBufferPointer(worker.result.prefix(size))
                            try unsafe sink(worker, rebuild.file, offset, rebuild.record.name, bytes)
                        }
                        meter.add(size, rebuild.record.name)
                        try task.finishCell(binding, verdict)
                    case .base(let task, let cell):
                        try task.tensor.readCell(cell, worker.base)
                        try task.finishJob(binding, verdict)
                    case .piece(let task, let piece):
                        let bytes = try unsafe task.rebuild.rebuild(piece, container, worker)
                        let range = task.rebuild.range(piece)
                        try unsafe sink(worker, task.file, range.lowerBound, nil, bytes)
                        meter.add(range.count, task.rebuild.record.path)
                        try task.finishJob()
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
        var rebuilds = TensorRebuilds(container.manifest, binding)
        var tasks = TensorTasks()
        var ordinal = 0
        for (index, file) in container.manifest.files.enumerated() {
            switch file.content {
            case .safetensors(_, let records):
                for record in records {
                    defer { ordinal += 1 }
                    guard tensors?.contains(ordinal) ?? true else { continue }
                    do throws(SiltError) {
                        let rebuild = try rebuilds.rebuild(ordinal)
                        if record.info.grid.count == 0 { try rebuild.judge(binding) }
                        tasks.add(rebuild)
                        plan.bytes += record.info.bytes
                    } catch  where error.isVerdict {
                        try verdict(error)
                    }
                }
            case .stored, .base:
                guard tensors == nil else { continue }
                do throws(SiltError) {
                    let rebuild = try FileRebuild(file, binding)
                    let pieces = FileRecord.pieces(file.bytes)
                    let task = FileTask(rebuild, file: index, jobs: pieces)
                    plan.jobs += (0..<pieces).map { .piece(task, $0) }
                    plan.bytes += file.bytes
                    if file.bytes == 0 { try rebuild.judge() }
                } catch  where error.isVerdict {
                    try verdict(error)
                }
            }
        }
        // Large files of a model come first.
        plan.jobs = try tasks.jobs() + plan.jobs
        return plan
    }
}

extension Rebuilder.TensorTasks {
    /// A job for each cell of the tensors, and for each cell of the base tensors that none of them reads whole: after those of the last
    /// tensor that it predicts.
    fileprivate func jobs() throws(SiltError) -> [Rebuilder.Plan.Job] {
        var jobs: [Rebuilder.Plan.Job] = []
        for entry in try entries() {
            jobs += (0..<entry.task.rebuild.record.info.grid.count).map { .cell(entry.task, $0) }
            for base in entry.bases { jobs += base.looseCells.map { .base(base.task, $0) } }
        }
        return jobs
    }
}

extension SiltError {
    /// Whether the error judges one tensor or file, so that others can still be judged.
    var isVerdict: Bool {
        switch code {
        case .baseMissing, .baseDType, .baseShape, .baseContent, .result: true
        default: false
        }
    }
}
