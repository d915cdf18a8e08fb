internal import ByteSources
internal import DeltaCodecs
internal import Safetensors
internal import SiltFormat
internal import SiltReading
internal import Synchronization
internal import TensorTypes
internal import Workers

/// Stores tensors of an adapter that the merged model does not show, so that the adapter comes back whole.
struct StoredTensors: Sendable {
    /// A piece of a tensor.
    private struct Piece: Sendable {
        let tensor: Int
        /// Its bytes, counted from the start of the adapter's data.
        let range: Range<Int>
    }

    /// Embeddings hardly compress, and are large.
    private static let level = 3

    private let file: SafetensorsFile
    private let entries: [SafetensorsHeader.Entry]
    private let pieces: [Piece]

    /// The tensors `entries` of `file`.
    init(_ entries: [SafetensorsHeader.Entry], of file: SafetensorsFile) {
        self.file = file
        self.entries = entries
        var pieces: [Piece] = []
        for (tensor, entry) in entries.enumerated() {
            for start in stride(from: entry.range.lowerBound, to: entry.range.upperBound, by: FileRecord.piece) {
                pieces.append(
                    Piece(tensor: tensor, range: start..<min(entry.range.upperBound, start + FileRecord.piece)))
            }
        }
        self.pieces = pieces
    }

    /// Writes the pieces, one a chunk, and gives the records.
    ///
    /// `append` is called by one thread at a time.
    func write(
        _ context: WorkContext, append: @escaping @Sendable ([UInt8]) throws(SiltError) -> Int
    ) throws(SiltError) -> [AdapterRecord.Tensor] {
        let written = Mutex<[(tensor: Int, digest: Digest128, chunk: Int)]>([])
        try context.pool.run(
            count: pieces.count, ahead: context.pool.lookahead, makeWorker: { Zstd() },
            work: { (zstd, index) throws(SiltError) -> (digest: Digest128, chunk: [UInt8]) in
                try context.cancellation.check()
                let range = pieces[index].range
                let start = file.header.dataStart
                let bytes = try file.input.bytes(start + range.lowerBound..<start + range.upperBound)
                return (Digest128(of: bytes), zstd.compress(bytes, level: StoredTensors.level))
            },
            commit: { (index, outcome) throws(SiltError) in
                let chunk = try append(outcome.chunk)
                written.withLock { $0.append((pieces[index].tensor, outcome.digest, chunk)) }
            })
        let byTensor = Dictionary(grouping: written.withLock { $0 }, by: \.tensor)
        return entries.enumerated().map { index, entry in
            let pieces = byTensor[index] ?? []
            let first = pieces.first?.chunk ?? 0
            return .init(
                name: entry.name,
                source: .stored(
                    .init(
                        info: entry.info, digest: Digest128(pieces: pieces.map(\.digest)), codec: .zstd,
                        chunks: first..<first + pieces.count)))
        }
    }
}
