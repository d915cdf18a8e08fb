internal import SiltReading
internal import Workers
internal import DeltaCodecs
internal import DeltaKernels
internal import Safetensors
internal import SiltFormat
internal import Synchronization
internal import ByteSources
internal import TensorTypes

/// The packer's first pass: measures every segment, and decides how to code it when its last cell is measured.
///
/// It takes the digests of everything, unless it is to measure a sample only: then the second pass does.
struct MeasurePass: Sendable {
    private enum Job: Sendable {
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
        for file in files {
            switch file.content {
            case .other:
                jobs.append(.other(file))
                bytes += file.input.size
            case .safetensors(_, let tensors):
                for tensor in tensors {
                    let cells = (0..<tensor.grid.count).filter { cell in
                        tensor.segments.contains { $0.measures(cell) }
                    }
                    jobs += cells.map { .cell(tensor, $0) }
                    bytes += cells.reduce(0) { $0 + tensor.grid.range($1).count * tensor.info.dtype.elementBytes }
                }
            }
        }
        if !chooser.options.samples {
            for base in bases { jobs += base.uncovered.map { .base(base, $0) } }
        }
        self.jobs = jobs
        self.bytes = bytes
    }

    func run(_ progress: Progress.Handler?) throws(SiltError) {
        let meter = ProgressMeter("measuring", total: bytes, progress)
        let (jobs, chooser) = (jobs, chooser)
        try pipeline.run(
            count: jobs.count, makeWorker: { PackWorker() },
            work: { (worker, index) throws(SiltError) in
                switch jobs[index] {
                case .other(let file):
                    try MeasurePass.digest(file, worker)
                    meter.add(file.input.size, file.path)
                case .cell(let tensor, let cell):
                    try MeasurePass.measure(tensor, cell, worker, chooser)
                    meter.add(tensor.grid.range(cell).count * tensor.info.dtype.elementBytes, tensor.entry.name)
                case .base(let base, let cell): try base.hash(cell, worker)
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
        let hashes = !chooser.options.samples
        if hashes { unsafe tensor.digests.set(cell, Digest128(of: bytes)) }
        guard let start = bytes.baseAddress else { return }
        for segment in tensor.segments where segment.measures(cell) {
            let piece = range.clamped(to: segment.elements)
            guard !piece.isEmpty else { continue }
            let result = unsafe start + (piece.lowerBound - range.lowerBound) * tensor.info.dtype.elementBytes
            var base: UnsafeRawPointer?
            if segment.hasBase, let task = tensor.base {
                let whole = hashes && tensor.hashesBase && task.grid.range(cell) == piece
                let read = try unsafe worker.base.read(task.tensor, piece, as: tensor.info.dtype, hashing: whole)
                unsafe base = read.patterns
                if let digest = unsafe read.digest { task.digests.set(cell, digest) }
                // Where deltas become floats, in predictions and lossy methods.
                if hashes, tensor.info.dtype.isPredictable, let base = unsafe base {
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
