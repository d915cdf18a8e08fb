internal import ByteSources
internal import Safetensors
internal import SiltFormat
internal import TensorTypes

/// A piece of the second pass's work.
enum EncodeJob: Sendable {
    /// The SHA-256 of a file of the input.
    case sha256(Int)
    case base(PackInput.BaseCell)
    case cell(PackTensor, Segment, Int)
    case lossy(PackTensor, TensorPolicy.Fate)
    case piece(OtherFile, Int)

    /// The tensor that is coded.
    var tensor: PackTensor? {
        switch self {
        case .cell(let tensor, _, _), .lossy(let tensor, _): tensor
        case .sha256, .base, .piece: nil
        }
    }
}

/// All of the second pass's work, in the order of the file.
struct EncodeJobs: Sendable {
    /// Bytes of tensors that are predicted and coded together: so much of the predictions' chunks is in memory.
    private static let batchBytes = 1 << 28

    private let jobs: [EncodeJob]
    /// The first jobs put nothing into the file.
    private let looseJobs: Int
    /// Bytes that are coded.
    let bytes: Int

    init(_ plan: PackPlan, _ selection: LossySelection?) {
        let (input, measured) = (plan.input, plan.measured)
        let files = StoredFiles(plan, isLossy: selection != nil)
        var jobs: [EncodeJob] = []
        // A SHA-256 cannot be cut into jobs: they begin first, so that the last of them does not end alone. The safetensors
        // files that a lossy file gives back are others.
        for (index, file) in input.files.enumerated() {
            if selection != nil, case .safetensors = file.content { continue }
            jobs.append(.sha256(index))
        }
        if measured.isSample { jobs += input.looseBaseCells.map { .base($0) } }
        looseJobs = jobs.count
        var bytes = 0
        for file in input.files {
            switch file.content {
            case .other(let index):
                guard !files.isReference(index) else { continue }
                jobs += (0..<input.others[index].pieces).map { .piece(input.others[index], $0) }
                bytes += file.input.size
            case .safetensors(_, let tensors):
                for tensor in input.tensors[tensors] {
                    let fate = selection?[tensor] ?? .exact
                    for (segment, found) in zip(tensor.segments, measured.tensors[tensor.index].segments) {
                        let isLossy = fate != .exact && segment.index == tensor.segments[0].index && segment.hasBase
                        if found.coding.isCopy, !measured.isSample, !isLossy { continue }
                        bytes += segment.elements.count * tensor.info.dtype.elementBytes
                        jobs +=
                            isLossy ? [.lossy(tensor, fate)] : segment.cells.map { .cell(tensor, segment, $0) }
                    }
                }
            }
        }
        self.jobs = jobs
        self.bytes = bytes
    }

    /// Some of the jobs, which come in their order.
    struct Batch: Sendable {
        let jobs: [EncodeJob]
        /// So many of the first jobs put nothing into the file.
        let loose: Int

        /// The tensors that are coded.
        var tensors: [PackTensor] {
            var tensors: [PackTensor] = []
            for case let tensor? in jobs.lazy.map(\.tensor) where tensors.last !== tensor { tensors.append(tensor) }
            return tensors
        }
    }

    /// All jobs.
    var all: Batch { batch(jobs.indices) }

    /// The jobs in batches, none of which ends inside a tensor.
    var batches: [Batch] {
        var batches: [Batch] = []
        var (start, bytes) = (0, 0)
        var last: PackTensor?
        for (index, job) in jobs.enumerated() {
            guard let tensor = job.tensor, tensor !== last else { continue }
            if bytes >= EncodeJobs.batchBytes {
                batches.append(batch(start..<index))
                (start, bytes) = (index, 0)
            }
            bytes += tensor.info.bytes
            last = tensor
        }
        return batches + [batch(start..<jobs.count)]
    }

    private func batch(_ range: Range<Int>) -> Batch {
        Batch(jobs: Array(jobs[range]), loose: max(0, looseJobs - range.lowerBound))
    }
}
