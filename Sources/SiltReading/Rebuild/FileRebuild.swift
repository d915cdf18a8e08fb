internal import DeltaCodecs
internal import SiltFormat
internal import ByteSources
internal import TensorTypes
internal import Synchronization

/// A file that is no safetensors file, on its way back: rebuilds its pieces one by one, in any order, and judges them when it has
/// seen them all.
final class FileRebuild: Sendable {
    let record: FileRecord
    private let source: (any ByteSource)?
    private let digests: DigestSlots

    /// Opens the base's file where the record refers to one.
    init(_ record: FileRecord, _ binding: BaseBinding) throws(SiltError) {
        self.record = record
        if case .base(_, let from) = record.content {
            source = try binding.file(from, bytes: record.bytes)
        } else {
            source = nil
        }
        digests = DigestSlots(FileRecord.pieces(record.bytes))
    }

    /// The bytes of piece `piece`.
    func range(_ piece: Int) -> Range<Int> {
        piece * FileRecord.piece..<min(record.bytes, (piece + 1) * FileRecord.piece)
    }

    /// Rebuilds a piece: the first bytes of the worker's result.
    func rebuild(
        _ piece: Int, _ container: ContainerReader, _ worker: DecodeWorker
    ) throws(SiltError) -> UnsafeRawBufferPointer {
        let range = range(piece)
        worker.result.reserve(range.count)
        let output = unsafe worker.result.prefix(range.count)
        switch (record.content, source) {
        case (.base, let source?):
            try unsafe source.read(into: output, at: range.lowerBound)
        case (.stored(_, let codec, let chunks), _):
            let chunk = chunks.lowerBound + piece
            let bytes = try unsafe container.read(chunk, into: worker.chunk)
            do throws(ChunkError) {
                if codec == .zstd {
                    try unsafe worker.zstd.decompress(bytes, into: output)
                } else {
                    guard bytes.count == range.count else {
                        throw ChunkError(reason: "it has \(bytes.count) bytes instead of \(range.count)")
                    }
                    unsafe output.copyMemory(from: bytes)
                }
            } catch {
                throw container.fault(.chunk, chunk: chunk, error.reason)
            }
        default:
            throw SiltError(.fault, "a file without a source is rebuilt in pieces", file: record.path)
        }
        let bytes = UnsafeRawBufferPointer(output)
        guard unsafe digests.settle(piece, Digest128(of: bytes)) else {
            throw SiltError(.changed, "the data changed between two readings", file: source?.path ?? container.path)
        }
        return unsafe bytes
    }

    /// Throws `changed` if what the file is rebuilt from is no longer what was opened.
    func checkUnchanged(_ container: ContainerReader) throws(SiltError) {
        if let source { try source.checkUnchanged() } else { try container.source.checkUnchanged() }
    }

    /// Compares the digest, once every piece was seen.
    func judge() throws(SiltError) {
        guard let found = digests.tree else { return }
        switch record.content {
        case .safetensors: break
        case .stored(let digest, _, _):
            guard found != digest else { return }
            throw SiltError(.result, "the rebuilt file does not match its digest", file: record.path)
        case .base(let digest, let from):
            guard found != digest else { return }
            throw SiltError(
                .baseContent, "the base's file is not the one that the file was packed against", file: from)
        }
    }
}
