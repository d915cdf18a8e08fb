internal import SiltReading
internal import Workers
internal import DeltaCodecs
internal import DeltaKernels
internal import Safetensors
internal import SiltFormat
internal import Synchronization
internal import ByteSources
internal import TensorTypes

/// The packer's second pass: codes every chunk as the first pass decided, and takes the SHA-256 of files.
///
/// Workers code; chunks enter the file in their order. Where the first pass has measured a sample only, this is the one that
/// takes the digests.
struct EncodePass: Sendable {
    private enum Job: Sendable {
        case sha256(FileTask)
        case base(BaseTask, Int)
        case cell(TensorTask, Segment, Int)
        case lossy(TensorTask)
        case piece(FileTask, Int)

        /// The tensor that is coded.
        var tensor: TensorTask? {
            switch self {
            case .cell(let tensor, _, _), .lossy(let tensor): tensor
            case .sha256, .base, .piece: nil
            }
        }
    }

    /// What a job puts into the file.
    private enum Output: Sendable {
        case nothing
        case chunk([UInt8])
        case lossy(LossyTensor)
    }

    /// The writer and what is committed one job at a time; `Pipeline` lets one thread through.
    private final class Sink: @unchecked Sendable {
        let writer: ContainerWriter
        init(_ writer: ContainerWriter) { self.writer = writer }
    }

    /// Bytes of tensors that are predicted and coded together: so much of the predictions' chunks is in memory.
    private static let batchBytes = 1 << 28

    private let jobs: [Job]
    /// The first jobs put nothing into the file.
    private let looseJobs: Int
    /// Bytes that are coded.
    let bytes: Int
    let options: PackOptions
    private let lossy: LossyEncoder?
    let pipeline: Pipeline

    init(
        files: [FileTask], bases: [BaseTask], options: PackOptions, lossy: LossyEncoder?, pipeline: Pipeline
    ) {
        self.options = options
        self.lossy = lossy
        self.pipeline = pipeline
        var jobs: [Job] = []
        var bytes = 0
        // A SHA-256 cannot be cut into jobs: they begin first, so that the last of them does not end alone. The safetensors
        // files that a lossy file gives back are others.
        for file in files {
            if lossy != nil, case .safetensors = file.content { continue }
            jobs.append(.sha256(file))
        }
        if options.samples {
            for base in bases { jobs += base.uncovered.map { .base(base, $0) } }
        }
        looseJobs = jobs.count
        for file in files {
            switch file.content {
            case .other:
                guard !file.equalsBase.withLock({ $0 }) else { continue }
                jobs += (0..<FileRecord.pieces(file.input.size)).map { .piece(file, $0) }
                bytes += file.input.size
            case .safetensors(_, let tensors):
                for tensor in tensors {
                    for segment in tensor.segments {
                        guard let coding = segment.coding.withLock({ $0 }) else { continue }
                        if case .copy = coding, !segment.isSampled { continue }
                        bytes += segment.elements.count * tensor.info.dtype.elementBytes
                        if case .lossy = coding {
                            jobs.append(.lossy(tensor))
                            continue
                        }
                        jobs += segment.cells.map { .cell(tensor, segment, $0) }
                    }
                }
            }
        }
        self.jobs = jobs
        self.bytes = bytes
    }

    /// All jobs.
    var all: Range<Int> { jobs.indices }

    /// The jobs in batches, none of which ends inside a tensor.
    var batches: [Range<Int>] {
        var batches: [Range<Int>] = []
        var (start, bytes) = (0, 0)
        var last: TensorTask?
        for (index, job) in jobs.enumerated() {
            guard let tensor = job.tensor, tensor !== last else { continue }
            if bytes >= EncodePass.batchBytes {
                batches.append(start..<index)
                (start, bytes) = (index, 0)
            }
            bytes += tensor.info.bytes
            last = tensor
        }
        return batches + [start..<jobs.count]
    }

    /// The tensors of a batch.
    func tensors(of batch: Range<Int>) -> [TensorTask] {
        var tensors: [TensorTask] = []
        for case let tensor? in jobs[batch].lazy.map(\.tensor) where tensors.last !== tensor { tensors.append(tensor) }
        return tensors
    }

    /// Does a batch of the jobs, which come in their order.
    func run(_ batch: Range<Int>, into writer: ContainerWriter, _ meter: ProgressMeter) throws(SiltError) {
        let sink = Sink(writer)
        let (jobs, options, lossy, cancellation) = (Array(jobs[batch]), options, lossy, pipeline.cancellation)
        try pipeline.run(
            count: jobs.count, loose: max(0, looseJobs - batch.lowerBound), ahead: pipeline.lookahead,
            makeWorker: { PackWorker() },
            work: { (worker, index) throws(SiltError) -> Output in
                switch jobs[index] {
                case .sha256(let file):
                    let sha256 = try file.input.sha256(worker.result) { () throws(SiltError) in
                        try cancellation.check()
                    }
                    file.sha256.withLock { $0 = sha256 }
                    return .nothing
                case .base(let base, let cell):
                    try base.hash(cell, worker)
                    return .nothing
                case .cell(let tensor, let segment, let cell):
                    let chunk = try EncodePass.encode(tensor, segment, segment.settledCoding, cell, options, worker)
                    let elements = tensor.grid.range(cell).clamped(to: segment.elements).count
                    meter.add(elements * tensor.info.dtype.elementBytes, tensor.entry.name)
                    return .chunk(chunk)
                case .lossy(let tensor):
                    guard let lossy else { preconditionFailure("lossy codings come with lossy options") }
                    let outcome = try lossy.encode(tensor, worker)
                    meter.add(tensor.segments[0].elements.count * tensor.info.dtype.elementBytes, tensor.entry.name)
                    return .lossy(outcome)
                case .piece(let file, let piece):
                    let chunk = try EncodePass.encode(file, piece, options, worker)
                    meter.add(file.piece(piece).count, file.path)
                    return .chunk(chunk)
                }
            },
            commit: { (index, output) throws(SiltError) in
                switch (jobs[index], output) {
                case (.lossy(let tensor), .lossy(var outcome)):
                    try outcome.write(to: sink.writer)
                    let written = outcome
                    tensor.lossy.withLock { $0 = written }
                case (.cell(_, let segment, _), .chunk(let chunk)):
                    try segment.append(chunk, segment.settledCoding, to: sink.writer)
                case (.piece(let file, _), .chunk(let chunk)):
                    let index = try sink.writer.append(chunk)
                    file.firstChunk.withLock { if $0 == nil { $0 = index } }
                default: break
                }
            })
    }

    private static func changed(_ file: String, _ tensor: String?) -> SiltError {
        SiltError(
            .changed, "the data changed between the first read and the second", file: file, tensor: tensor,
            advice: "pack again when nothing is writing to the file")
    }

    private static func encode(
        _ tensor: TensorTask, _ segment: Segment, _ coding: Segment.Coding, _ cell: Int, _ options: PackOptions,
        _ worker: PackWorker
    ) throws(SiltError) -> [UInt8] {
        let range = tensor.grid.range(cell)
        let piece = range.clamped(to: segment.elements)
        let dtype = tensor.info.dtype
        let bytes = try unsafe tensor.read(range, into: worker.result)
        guard unsafe tensor.digests.settle(cell, Digest128(of: bytes)), let start = bytes.baseAddress else {
            throw changed(tensor.source.path, tensor.entry.name)
        }
        let result = unsafe start + (piece.lowerBound - range.lowerBound) * dtype.elementBytes
        var base: UnsafeRawPointer?
        if let task = tensor.base, coding.usesBase || (segment.isSampled && segment.hasBase && tensor.hashesBase) {
            let whole = task.grid.range(cell) == piece
            let read = try unsafe worker.base.read(task.tensor, piece, as: dtype, hashing: whole)
            guard unsafe read.digest.map({ task.digests.settle(cell, $0) }) ?? true else {
                throw changed(task.tensor.file.path, task.tensor.name)
            }
            if coding.usesBase { unsafe base = read.patterns }
            if let prediction = segment.prediction.withLock({ $0 }) {
                unsafe base = try prediction.predict(
                    cell, base: read.patterns, count: piece.count, dtype, worker.predictor)
            }
        }
        let width = dtype.elementBytes
        // An empty chunk says that the elements equal the base's, or that all bytes are 0 (Formats/Silt.md, section 5). The
        // tables know nothing of such cells: they were not counted.
        if unsafe PackWorker.isTrivial(result, base, bytes: piece.count * width) { return [] }
        if case .copy = coding { throw changed(tensor.source.path, tensor.entry.name) }
        let coders = coding.tables.flatMap { worker.coders($0, coding.kind, dtype) }
        let codec = coding.codec ?? .none
        let chunk: [UInt8]
        switch coders?.encoder {
        case .residual(let encoder):
            guard let base = unsafe base, let layout = dtype.floatLayout else { return [] }
            chunk = unsafe encoder.encode(
                layout, base: base, result: result, count: piece.count, unit: segment.unit, workspace: worker.residual)
        case .planes(let planes):
            worker.planes.reserve(piece.count * width)
            unsafe Planes.split(width: width, result, base: base, count: piece.count, into: worker.planes.start)
            chunk = unsafe planes.encode(worker.planes.start, count: piece.count, words: worker.words)
        case nil:
            chunk = unsafe ByteCodec.encode(
                codec, level: options.level, result: result, base: base, count: piece.count, width: width, worker)
        }
        // The base's elements, or their prediction, are in a buffer of the worker, and nobody needs them any more.
        let owned = unsafe base.map { unsafe UnsafeMutableRawPointer(mutating: $0) }
        guard
            unsafe worker.givesBack(
                chunk, codec, coders?.decoder, dtype, unit: segment.unit, base: owned, result: result,
                count: piece.count)
        else {
            throw SiltError(
                .fault, "a chunk does not give back what it was made from; this is a bug in silt, please report it",
                file: tensor.source.path, tensor: tensor.entry.name)
        }
        return chunk
    }

    private static func encode(
        _ file: FileTask, _ piece: Int, _ options: PackOptions, _ worker: PackWorker
    ) throws(SiltError) -> [UInt8] {
        let range = file.piece(piece)
        worker.result.reserve(range.count)
        let bytes = unsafe worker.result.prefix(range.count)
        try unsafe file.input.read(into: bytes, at: range.lowerBound)
        guard unsafe file.digests[piece] == Digest128(of: UnsafeRawBufferPointer(bytes)) else {
            throw changed(file.input.path, nil)
        }
        if options.codec == .none {
            file.codec.withLock { $0 = .none }
            return unsafe Array(bytes)
        }
        // Configurations and tokenizers are small: the best level costs nothing there.
        let level = file.input.size <= FileRecord.piece ? 19 : options.level
        return unsafe worker.zstd.compress(UnsafeRawBufferPointer(bytes), level: level)
    }
}

extension Segment.Coding {
    /// The tables that the coding's chunks need.
    var tables: TablesChunk? {
        switch self {
        case .exact(let tables): tables
        case .planes(_, _, let tables): tables
        case .copy, .exactInGroup, .lossy: nil
        }
    }

    /// Whether the coding refers to the base.
    var usesBase: Bool {
        if case .planes(.whole, _, _) = self { false } else { true }
    }

    /// The part's kind.
    var kind: PartKind {
        switch self {
        case .copy, .lossy: .copy
        case .exact, .exactInGroup: .exact
        case .planes(let kind, _, _): kind
        }
    }

    /// The part's codec.
    var codec: Codec? {
        switch self {
        case .copy, .lossy: nil
        case .exact, .exactInGroup: .rans
        case .planes(_, let codec, _): codec
        }
    }
}
