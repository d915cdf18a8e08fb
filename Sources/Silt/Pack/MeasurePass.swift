internal import DeltaCodecs
internal import DeltaKernels
internal import Safetensors
internal import SiltFormat
internal import Synchronization
internal import TensorFiles
internal import TensorTypes

/// The packer's first pass: hashes everything, measures every segment, and decides how to code it when its last cell is
/// measured.
struct MeasurePass: Sendable {
    private enum Job: Sendable {
        case hash(FileTask)
        case other(FileTask)
        case cell(TensorTask, Int)
        case base(BaseTask, Int)
    }

    let chooser: CodingChooser
    let pipeline: Pipeline
    private let jobs: [Job]
    private let bytes: Int

    init(files: [FileTask], bases: [BaseTask], chooser: CodingChooser, pipeline: Pipeline) {
        self.chooser = chooser
        self.pipeline = pipeline
        var jobs: [Job] = []
        var bytes = 0
        // Whole-file hashes cannot be cut into jobs: they begin first, so that the last of them does not end alone.
        // The files that a lossy file gives back are others.
        for file in files {
            if chooser.options.lossy != nil, case .safetensors = file.content { continue }
            jobs.append(.hash(file))
        }
        for file in files {
            switch file.content {
            case .other:
                jobs.append(.other(file))
                bytes += file.input.size
            case .safetensors(_, let tensors):
                for tensor in tensors {
                    jobs += (0..<tensor.grid.count).map { .cell(tensor, $0) }
                    bytes += tensor.info.bytes
                }
            }
        }
        for base in bases { jobs += base.uncovered.map { .base(base, $0) } }
        self.jobs = jobs
        self.bytes = bytes
    }

    func run(_ progress: Progress.Handler?) throws(SiltError) {
        let meter = ProgressMeter("measuring", total: bytes, progress)
        let (jobs, chooser, cancellation) = (jobs, chooser, pipeline.cancellation)
        try pipeline.run(
            count: jobs.count, makeWorker: { PackWorker() },
            work: { (worker, index) throws(SiltError) in
                switch jobs[index] {
                case .hash(let file):
                    let sha256 = try CheckpointRoot.sha256(
                        of: file.input, buffer: worker.result, cancellation: cancellation)
                    file.sha256.withLock { $0 = sha256 }
                case .other(let file):
                    try MeasurePass.digest(file, worker)
                    meter.add(file.input.size, file.path)
                case .cell(let tensor, let cell):
                    try MeasurePass.measure(tensor, cell, worker, chooser)
                    meter.add(tensor.grid.range(cell).count * tensor.info.dtype.elementBytes, tensor.entry.name)
                case .base(let base, let cell):
                    let cells = base.grid.range(cell)
                    let read = try unsafe worker.base.read(
                        base.tensor, cells, as: base.tensor.info.dtype, hashing: true)
                    if let digest = unsafe read.digest { base.digests.set(cell, digest) }
                }
            })
    }

    /// Digests of a file that is no safetensors file, and whether the base's is equal.
    private static func digest(_ file: FileTask, _ worker: PackWorker) throws(SiltError) {
        guard case .other(let input, let base) = file.content else { return }
        var isEqual = base?.size == input.size
        for index in 0..<FileRecord.pieces(input.size) {
            let range = file.piece(index)
            worker.result.reserve(range.count)
            let bytes = unsafe worker.result.prefix(range.count)
            try unsafe input.read(into: bytes, at: range.lowerBound)
            let digest = unsafe Digest128(of: UnsafeRawBufferPointer(bytes))
            file.digests.set(index, digest)
            if isEqual, let base {
                try unsafe base.read(into: bytes, at: range.lowerBound)
                isEqual = unsafe Digest128(of: UnsafeRawBufferPointer(bytes)) == digest
            }
        }
        file.equalsBase.withLock { $0 = isEqual }
    }

    private static func measure(
        _ tensor: TensorTask, _ cell: Int, _ worker: PackWorker, _ chooser: CodingChooser
    ) throws(SiltError) {
        let range = tensor.grid.range(cell)
        let bytes = try unsafe tensor.read(range, into: worker.result)
        unsafe tensor.digests.set(cell, Digest128(of: bytes))
        guard let start = bytes.baseAddress else { return }
        for segment in tensor.segments {
            let piece = range.clamped(to: segment.elements)
            guard !piece.isEmpty else { continue }
            let result = unsafe start + (piece.lowerBound - range.lowerBound) * tensor.info.dtype.elementBytes
            var base: UnsafeRawPointer?
            if segment.hasBase, let task = tensor.base {
                let whole = tensor.hashesBase && task.grid.range(cell) == piece
                let read = try unsafe worker.base.read(task.tensor, piece, as: tensor.info.dtype, hashing: whole)
                unsafe base = read.patterns
                if let digest = unsafe read.digest { task.digests.set(cell, digest) }
                if tensor.info.dtype.isPredictable, let base = unsafe base {
                    let dtype = tensor.info.dtype
                    let isFinite =
                        unsafe FiniteCheck.haveFiniteDeltas(base, dtype, count: piece.count)
                        && FiniteCheck.haveFiniteDeltas(result, dtype, count: piece.count)
                    if !isFinite { tensor.hasNonFinite.store(true, ordering: .relaxed) }
                }
            }
            unsafe chooser.measure(
                segment, tensor.info.dtype, result: result, base: base, count: piece.count, cell: cell, worker)
        }
    }
}
