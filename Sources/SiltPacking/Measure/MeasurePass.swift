internal import ByteSources
internal import DeltaCodecs
internal import DeltaKernels
internal import Safetensors
internal import SiltFormat
internal import SiltReading
internal import TensorTypes
internal import Workers

/// The packer's first pass: measures every segment, and decides how to code it when its last cell is measured.
///
/// It takes the digests of everything, unless it is to measure a sample only: then the second pass does.
struct MeasurePass: Sendable {
    private enum Job: Sendable {
        case other(OtherFile)
        case cell(PackTensor, Int)
        case base(PackInput.BaseCell)
    }

    let input: PackInput
    let chooser: CodingChooser
    let context: WorkContext

    init(_ input: PackInput, _ options: PackOptions, _ context: WorkContext) {
        self.input = input
        self.context = context
        chooser = CodingChooser(options)
    }

    func run() throws(SiltError) -> Measured {
        let (jobs, bytes) = jobs()
        let sums = MeasureSums(input, sampling: chooser.samples)
        let meter = ProgressMeter("measuring", total: bytes, context.progress)
        try context.pool.run(
            count: jobs.count, makeWorker: { MeasureWorker() },
            work: { (worker, index) throws(SiltError) in
                switch jobs[index] {
                case .other(let file):
                    sums.add(try MeasurePass.digest(file, worker.result), file.index)
                    meter.add(file.input.size, file.path)
                case .cell(let tensor, let cell):
                    try measure(tensor, cell, sums, worker)
                    meter.add(tensor.grid.range(cell).count * tensor.info.dtype.elementBytes, tensor.name)
                case .base(let loose):
                    let digest = try worker.base.digest(loose.base.tensor, loose.base.grid.range(loose.cell))
                    sums.bases[loose.base.index].set(loose.cell, digest)
                }
            })
        return try sums.measured(input)
    }

    /// The jobs, and the bytes that they read of the fine-tuned checkpoint.
    private func jobs() -> (jobs: [Job], bytes: Int) {
        var jobs: [Job] = []
        var bytes = 0
        for file in input.files {
            switch file.content {
            case .other(let index):
                jobs.append(.other(input.others[index]))
                bytes += file.input.size
            case .safetensors(_, let tensors):
                for tensor in input.tensors[tensors] {
                    let cells = (0..<tensor.grid.count).filter { cell in
                        tensor.segments.contains { $0.measures(cell, sampling: chooser.samples) }
                    }
                    jobs += cells.map { .cell(tensor, $0) }
                    bytes += cells.reduce(0) { $0 + tensor.grid.range($1).count * tensor.info.dtype.elementBytes }
                }
            }
        }
        if !chooser.samples { jobs += input.looseBaseCells.map { .base($0) } }
        return (jobs, bytes)
    }

    /// Digests of a file that is no safetensors file, and whether the base's is equal.
    private static func digest(_ file: OtherFile, _ buffer: ByteBuffer) throws(SiltError) -> Measured.Other {
        var digests: [Digest128] = []
        var isEqual = file.base?.size == file.input.size
        for index in 0..<file.pieces {
            let range = file.piece(index)
            buffer.reserve(range.count)
            let bytes = unsafe buffer.prefix(range.count)
            try unsafe file.input.read(into: bytes, at: range.lowerBound)
            let digest = unsafe Digest128(of: UnsafeRawBufferPointer(bytes))
            digests.append(digest)
            if isEqual, let base = file.base {
                try unsafe base.read(into: bytes, at: range.lowerBound)
                isEqual = unsafe Digest128(of: UnsafeRawBufferPointer(bytes)) == digest
            }
        }
        return Measured.Other(digests: digests, equalsBase: isEqual)
    }

    private func measure(
        _ tensor: PackTensor, _ cell: Int, _ sums: MeasureSums, _ worker: MeasureWorker
    ) throws(SiltError) {
        let range = tensor.grid.range(cell)
        let dtype = tensor.info.dtype
        let bytes = try unsafe tensor.read(range, into: worker.result)
        let hashes = !chooser.samples
        if hashes { unsafe sums.digests[tensor.index].set(cell, Digest128(of: bytes)) }
        guard let start = bytes.baseAddress else { return }
        for segment in tensor.segments where segment.measures(cell, sampling: chooser.samples) {
            let piece = range.clamped(to: segment.elements)
            let result = unsafe start + (piece.lowerBound - range.lowerBound) * dtype.elementBytes
            var known: UnsafeRawPointer?
            if segment.hasBase, let base = tensor.base {
                let hashed = hashes ? tensor.hashedBase(piece) : nil
                let patterns = try unsafe base.read(piece, as: dtype, worker.base, hashing: hashed) {
                    base, cell, digest in
                    sums.bases[base.index].set(cell, digest)
                }
                unsafe known = patterns
                // Where deltas become floats, in predictions and lossy methods.
                if hashes, dtype.isPredictable {
                    let isFinite =
                        unsafe FiniteCheck.haveFiniteDeltas(patterns, dtype, count: piece.count)
                        && FiniteCheck.haveFiniteDeltas(result, dtype, count: piece.count)
                    if !isFinite { sums.addNonFinite(tensor) }
                }
            }
            let run = unsafe CodingChooser.Run(
                segment: segment, dtype: dtype, cell: cell, result: result, base: known, count: piece.count)
            chooser.measure(run, sums, worker)
        }
    }
}

/// Buffers of one worker of the first pass.
final class MeasureWorker {
    let result = ByteBuffer()
    let base = CellReader()
    let bytes = ByteCoder()
    let residual = ResidualEncoder.Workspace()
}

extension CellReader {
    /// The digest of a cell, as it is stored.
    func digest(_ tensor: Checkpoint.Tensor, _ elements: Range<Int>) throws(SiltError) -> Digest128 {
        guard let digest = try unsafe read(tensor, elements, as: tensor.info.dtype, hashing: true).digest else {
            throw SiltError.fault("a cell was read without its digest", tensor: tensor.name)
        }
        return digest
    }
}
