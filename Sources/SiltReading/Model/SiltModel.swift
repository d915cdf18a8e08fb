internal import ByteSources
internal import DeltaCodecs
public import Safetensors
internal import SiltFormat
internal import Synchronization
public import TensorTypes

/// A model that exists only as a Silt file over its base: tensors, rows and bytes of files are rebuilt as they are asked for.
///
/// Threads may share it. Each chunk that is read has its checksum compared. The digests of a base tensor and of a rebuilt tensor cover
/// them whole, so they are compared once all of a tensor was read, in however many pieces and whatever order: `tensor` always
/// compares them, `rows` and a file's `read` when they complete a tensor. Until then a base with other values and the same names and
/// shapes may go unnoticed: compare one tensor, or run `Verifier`, before you trust rows of a base that you do not know.
public final class SiltModel: Sendable {
    /// The Silt file.
    public let file: SiltFile
    /// What it is a difference from.
    public let base: Checkpoint

    let binding: BaseBinding
    let reader: PartReader
    let tensors: [ModelTensor]
    private let positions: [ByteName: Int]
    /// The files of the base that tensors are predicted from, each once.
    let baseSources: [any ByteSource]
    /// For each file of the manifest the index of its first tensor.
    private let firstTensors: [Int]
    private let workers = Mutex<[DecodeWorker]>([])

    /// Workers that are kept for later reads.
    private static let workerLimit = 16

    init(_ file: SiltFile, _ base: Checkpoint) throws(SiltError) {
        (self.file, self.base) = (file, base)
        binding = BaseBinding(checkpoint: base)
        reader = PartReader(file.container)
        var tensors: [ModelTensor] = []
        var firsts: [Int] = []
        var rebuilds = TensorRebuilds(file.container.manifest, binding)
        for record in file.container.manifest.files {
            firsts.append(tensors.count)
            guard case .safetensors(_, let records) = record.content else { continue }
            for _ in records { tensors.append(ModelTensor(try rebuilds.rebuild(tensors.count))) }
        }
        self.tensors = tensors
        firstTensors = firsts
        var seen: Set<ObjectIdentifier> = []
        var sources: [any ByteSource] = []
        for tensor in base.tensors + tensors.flatMap({ $0.baseTensors.map(\.tensor) })
        where seen.insert(ObjectIdentifier(tensor.file)).inserted {
            sources.append(tensor.file.input)
        }
        baseSources = sources
        positions = Dictionary(
            tensors.enumerated().map { (ByteName($0.element.record.name), $0.offset) },
            uniquingKeysWith: { first, _ in first })
    }

    /// Dtype and shape of a tensor; nil if the model does not have it.
    public func info(of name: String) -> TensorInfo? { positions[ByteName(name)].map { tensors[$0].record.info } }

    /// The data of the tensor `name`: little-endian, in C order, verified against the digests of base and result.
    ///
    /// - Throws: `noMatch` if there is no such tensor; `baseContent` if the base is another than was packed against; the classes of
    ///   Formats/Silt.md section 9; `io`, `changed`.
    public func tensor(_ name: String) throws(SiltError) -> [UInt8] {
        let tensor = try find(name)
        let bytes = try read(tensor, 0..<tensor.record.info.bytes)
        let worker = takeWorker()
        defer { giveBack(worker) }
        try tensor.finish(self, worker)
        return bytes
    }

    /// Rows `rows` of the tensor `name`, of all extents but the first: little-endian, in C order.
    ///
    /// Only the cells that they lie in are decoded, at most 262,144 elements each.
    ///
    /// - Throws: `usage` if the tensor has no such rows; as `tensor`.
    public func rows(_ rows: Range<Int>, of name: String) throws(SiltError) -> [UInt8] {
        let tensor = try find(name)
        let info = tensor.record.info
        guard let count = info.shape.first, info.dtype.bits >= 8 else {
            throw SiltError(.usage, "\(info.description) has no rows", file: file.path, tensor: name)
        }
        guard rows.lowerBound >= 0, rows.upperBound <= count else {
            throw SiltError(
                .usage, "rows \(rows.lowerBound)..<\(rows.upperBound) of \(count) rows", file: file.path, tensor: name)
        }
        let width = count == 0 ? 0 : info.bytes / count
        return try read(tensor, rows.lowerBound * width..<rows.upperBound * width)
    }

    /// The rebuilt file at `path`, relative to the result's directory.
    ///
    /// - Throws: `noMatch` if the result does not have it; `baseMissing` if it is one of the base's files that is gone.
    public func file(_ path: String) throws(SiltError) -> RebuiltFile {
        guard let index = file.container.manifest.files.firstIndex(where: { ByteName($0.path) == ByteName(path) })
        else {
            throw SiltError(.noMatch, "the result does not have the file \(path)", file: file.path)
        }
        return try RebuiltFile(self, index, firstTensor: firstTensors[index])
    }

    /// The model as a checkpoint whose files are rebuilt as they are read: a base for another Silt file, an input of any work.
    ///
    /// - Throws: as opening a checkpoint.
    public func checkpoint() throws(SiltError) -> Checkpoint { try Checkpoint(RebuiltTree(self)) }

    private func find(_ name: String) throws(SiltError) -> ModelTensor {
        guard let position = positions[ByteName(name)] else {
            throw SiltError(.noMatch, "the result does not have this tensor", file: file.path, tensor: name)
        }
        return tensors[position]
    }

    /// Bytes of a tensor, counted from its first.
    private func read(_ tensor: ModelTensor, _ range: Range<Int>) throws(SiltError) -> [UInt8] {
        var failure: SiltError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            do throws(SiltError) {
                let all = UnsafeMutableRawBufferPointer(buffer)
                try unsafe read(
                    tensor, into: UnsafeMutableRawBufferPointer(rebasing: all[..<range.count]), at: range.lowerBound)
                count = range.count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Fills `buffer` with bytes of a tensor from `offset` on.
    func read(
        _ tensor: ModelTensor, into buffer: UnsafeMutableRawBufferPointer, at offset: Int
    ) throws(SiltError) {
        let worker = takeWorker()
        defer { giveBack(worker) }
        try unsafe tensor.read(into: buffer, at: offset, self, worker)
    }

    func takeWorker() -> DecodeWorker { workers.withLock { $0.popLast() } ?? DecodeWorker() }

    func giveBack(_ worker: DecodeWorker) {
        workers.withLock { if $0.count < SiltModel.workerLimit { $0.append(worker) } }
    }
}
