internal import Safetensors
internal import SiltFormat
internal import Synchronization
internal import TensorTypes

/// A base tensor that predicts one tensor or several: its digest is taken once.
final class BaseTensor: Sendable {
    let record: BaseTensorRecord
    let tensor: Checkpoint.Tensor
    private let digests: DigestSlots

    init(_ record: BaseTensorRecord, _ tensor: Checkpoint.Tensor) {
        (self.record, self.tensor) = (record, tensor)
        digests = DigestSlots(tensor.info.grid.count)
    }

    /// The cell that `elements` are; nil if they are no whole cell.
    func cell(_ elements: Range<Int>) -> Int? {
        let cell = elements.lowerBound / tensor.info.grid.cell
        return cell < tensor.info.grid.count && tensor.info.grid.range(cell) == elements ? cell : nil
    }

    /// Cells whose digests nobody has taken yet.
    var missingCells: [Int] { (0..<tensor.info.grid.count).filter { digests[$0] == nil } }

    /// Reads elements as `dtype`; of a whole cell it takes the digest.
    ///
    /// - Parameter buffer: where they go if they need no conversion; nil: a buffer of the reader.
    /// - Throws: what reading throws; `changed` if the cell is not what an earlier reading found.
    func read(
        _ elements: Range<Int>, as dtype: DType, _ reader: CellReader, into buffer: ByteBuffer? = nil
    ) throws(SiltError) -> UnsafeRawPointer {
        let cell = cell(elements)
        let read = try unsafe reader.read(tensor, elements, as: dtype, hashing: cell != nil, into: buffer)
        if let cell, let digest = unsafe read.digest, !digests.settle(cell, digest) {
            throw SiltError.changed(tensor.name, tensor.file.path)
        }
        return unsafe read.patterns
    }

    /// Takes the digest of a cell.
    func readCell(_ cell: Int, _ reader: CellReader) throws(SiltError) {
        _ = try unsafe read(tensor.info.grid.range(cell), as: tensor.info.dtype, reader)
    }

    /// Throws `baseContent` if all cells were seen and the tensor is another than the file was packed against.
    func judge(_ binding: BaseBinding) throws(SiltError) {
        guard let found = digests.tree, found != record.digest else { return }
        throw binding.fault(
            .baseContent, record,
            "the base's tensor has digest \(found.hex), the one packed against \(record.digest.hex)")
    }
}

/// The base tensors that records name, each once.
final class BaseTensors: Sendable {
    private let binding: BaseBinding
    private let known = Mutex<[BaseTensorRecord: BaseTensor]>([:])

    init(_ binding: BaseBinding) { self.binding = binding }

    /// - Throws: `baseMissing`, `baseDType` or `baseShape`.
    func tensor(_ record: BaseTensorRecord) throws(SiltError) -> BaseTensor {
        if let found = known.withLock({ $0[record] }) { return found }
        let made = BaseTensor(record, try binding.tensor(record))
        return known.withLock { known in
            if let first = known[record] { return first }
            known[record] = made
            return made
        }
    }
}

extension SiltError {
    static func changed(_ tensor: String, _ file: String?) -> SiltError {
        SiltError(
            .changed, "the data changed between two readings", file: file, tensor: tensor,
            advice: "something else is writing to the base or the Silt file")
    }
}
