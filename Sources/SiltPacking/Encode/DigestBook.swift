internal import Safetensors
internal import SiltReading
internal import Synchronization
internal import TensorTypes

/// Digests of what the second pass reads: those that the first pass took, or those that are taken now; and the SHA-256 of files.
///
/// It ends with the pass.
final class DigestBook: Sendable {
    private enum Page: Sendable {
        case known([Digest128])
        case open(DigestSlots)

        init(_ digests: Measured.CellDigests, cells: Int) {
            switch digests {
            case .known(let digests): self = .known(digests)
            case .pending: self = .open(DigestSlots(cells))
            }
        }

        /// Whether `digest` is that of the cell, as a reading before found it; without one it is put in.
        func settles(_ cell: Int, _ digest: Digest128) -> Bool {
            switch self {
            case .known(let digests): digests[cell] == digest
            case .open(let slots): slots.settle(cell, digest)
            }
        }

        func all(_ cells: Int) throws(SiltError) -> [Digest128] {
            switch self {
            case .known(let digests): digests
            case .open(let slots): try slots.all(cells)
            }
        }
    }

    private let tensors: [Page], bases: [Page]
    private let files: Mutex<[String?]>

    init(_ plan: PackPlan) {
        tensors = zip(plan.input.tensors, plan.measured.tensors).map { Page($1.digests, cells: $0.grid.count) }
        bases = zip(plan.input.bases, plan.measured.bases).map { Page($1, cells: $0.grid.count) }
        files = Mutex([String?](repeating: nil, count: plan.input.files.count))
    }

    /// Throws `changed` if a cell is not what it was when it was read before.
    func check(_ tensor: PackTensor, _ cell: Int, _ digest: Digest128) throws(SiltError) {
        guard tensors[tensor.index].settles(cell, digest) else { throw tensor.changed }
    }

    /// The same for the base.
    func check(_ base: BaseTensor, _ cell: Int, _ digest: Digest128) throws(SiltError) {
        guard bases[base.index].settles(cell, digest) else {
            throw SiltError.changed(base.tensor.file.path, base.tensor.name)
        }
    }

    func set(sha256: String, _ file: Int) { files.withLock { $0[file] = sha256 } }

    /// The digests of a tensor's cells, once all are read.
    func digests(_ tensor: PackTensor) throws(SiltError) -> [Digest128] {
        try tensors[(tensor.twin ?? tensor).index].all(tensor.grid.count)
    }

    /// The digest of a base tensor.
    func digest(_ base: BaseTensor) throws(SiltError) -> Digest128 {
        Digest128(pieces: try bases[base.index].all(base.grid.count))
    }

    /// The SHA-256 of a file of the input; nil if it was not taken.
    func sha256(_ file: Int) -> String? { files.withLock { $0[file] } }
}
