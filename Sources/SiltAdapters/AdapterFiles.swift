internal import SiltReading
internal import Workers
internal import DeltaCodecs
internal import Safetensors
internal import SiltFormat
internal import ByteSources
internal import TensorTypes

/// The files of a merged model as a Silt file records them.
struct AdapterFiles {
    private let layout: MergedLayout
    private let base: Checkpoint
    private let cancellation: Cancellation

    init(_ layout: MergedLayout, _ base: Checkpoint, _ cancellation: Cancellation) {
        self.layout = layout
        self.base = base
        self.cancellation = cancellation
    }

    /// The records: safetensors files with these tensors, in order, then what the base has besides.
    func records(_ tensors: [TensorRecord], _ writer: ContainerWriter) throws(SiltError) -> [FileRecord] {
        var records: [FileRecord] = []
        var next = 0
        for model in layout.models {
            records.append(
                FileRecord(
                    path: model.path, bytes: model.bytes, sha256: nil,
                    content: .safetensors(
                        header: model.header, tensors: Array(tensors[next..<next + model.tensors.count]))))
            next += model.tensors.count
        }
        guard layout.form == .directory else { return records }
        for file in layout.others {
            switch file {
            case .base(let path): records.append(try equal(path))
            case .text(let path, let text): records.append(try stored(path, text, writer))
            }
        }
        return records
    }

    private func equal(_ path: String) throws(SiltError) -> FileRecord {
        let input = try base.source(path)
        var pieces: [Digest128] = []
        for piece in 0..<FileRecord.pieces(input.size) {
            let start = piece * FileRecord.piece
            pieces.append(Digest128(of: try input.bytes(start..<min(input.size, start + FileRecord.piece))))
        }
        let sha256 = try input.sha256 { () throws(SiltError) in try cancellation.check() }
        return FileRecord(
            path: path, bytes: input.size, sha256: sha256, content: .base(digest: Digest128(pieces: pieces), from: path)
        )
    }

    private func stored(_ path: String, _ text: [UInt8], _ writer: ContainerWriter) throws(SiltError) -> FileRecord {
        var pieces: [Digest128] = []
        let first = writer.table.count
        for piece in 0..<FileRecord.pieces(text.count) {
            let start = piece * FileRecord.piece
            let bytes = Array(text[start..<min(text.count, start + FileRecord.piece)])
            pieces.append(Digest128(of: bytes))
            _ = try writer.append(Zstd().compress(bytes, level: 19))
        }
        return FileRecord(
            path: path, bytes: text.count, sha256: SHA256.of(text),
            content: .stored(
                digest: Digest128(pieces: pieces), codec: .zstd, chunks: first..<first + pieces.count))
    }
}
