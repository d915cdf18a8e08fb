internal import DeltaCodecs
internal import SiltFormat
internal import ByteSources
internal import TensorTypes
internal import Synchronization

/// A file that is no safetensors file, on its way back.
final class FileRebuild: Sendable {
    let record: FileRecord
    private let index: Int
    private let source: InputFile?
    private let digests: DigestSlots
    private let piecesLeft: Atomic<Int>

    /// Opens the base's file where the record refers to one.
    init(_ record: FileRecord, index: Int, _ binding: BaseBinding) throws(SiltError) {
        self.record = record
        self.index = index
        if case .base(_, let from) = record.content {
            source = try binding.file(from, bytes: record.bytes)
        } else {
            source = nil
        }
        digests = DigestSlots(FileRecord.pieces(record.bytes))
        piecesLeft = Atomic(FileRecord.pieces(record.bytes))
    }

    /// Rebuilds a piece and gives it to the sink; returns its size.
    ///
    /// Judges the file after its last piece.
    func rebuild(
        _ piece: Int, _ container: ContainerReader, _ worker: DecodeWorker, _ sink: Rebuilder.Sink
    ) throws(SiltError) -> Int {
        let offset = piece * FileRecord.piece
        let size = min(FileRecord.piece, record.bytes - offset)
        worker.result.reserve(size)
        let output = unsafe worker.result.prefix(size)
        switch record.content {
        case .safetensors: return 0
        case .base:
            guard let source else { return 0 }
            try unsafe source.read(into: output, at: offset)
        case .stored(_, let codec, let chunks):
            let chunk = chunks.lowerBound + piece
            let bytes = try unsafe container.read(chunk, into: worker.chunk)
            do throws(ChunkError) {
                if codec == .zstd {
                    try unsafe worker.zstd.decompress(bytes, into: output)
                } else {
                    guard bytes.count == size else {
                        throw ChunkError(reason: "it has \(bytes.count) bytes instead of \(size)")
                    }
                    unsafe output.copyMemory(from: bytes)
                }
            } catch {
                throw container.fault(.chunk, chunk: chunk, error.reason)
            }
        }
        let bytes = UnsafeRawBufferPointer(output)
        unsafe digests.set(piece, Digest128(of: bytes))
        try unsafe sink(worker, index, offset, nil, bytes)
        if piecesLeft.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { try judge() }
        return size
    }

    /// Compares the digest.
    func judge() throws(SiltError) {
        switch record.content {
        case .safetensors: break
        case .stored(let digest, _, _):
            guard digests.tree != digest else { return }
            throw SiltError(.result, "the rebuilt file does not match its digest", file: record.path)
        case .base(let digest, let from):
            guard digests.tree != digest else { return }
            throw SiltError(
                .baseContent, "the base's file is not the one that the file was packed against", file: from)
        }
    }
}
