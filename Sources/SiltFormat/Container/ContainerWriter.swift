internal import ByteSources
internal import Safetensors
package import TensorTypes

/// Writes a Silt file: chunks as they come, then the chunk table, the manifest and the header.
///
/// The file appears under its name only when `finish` returns.
///
/// `append` is called in the order of the chunks, by one thread at a time.
package final class ContainerWriter {
    private let output: StagedOutput?
    private let file: SafetensorsAppender?
    private var chunks = ChunkTable()

    /// Begins a file at `path`; `replacing` says whether an existing one may be replaced.
    package init(at path: String, replacing: Bool) throws(SiltError) {
        let output = try StagedOutput(at: path, form: .file, replacing: replacing ? .file : .never)
        file = SafetensorsAppender(output.file, room: ContainerHeader.room)
        self.output = output
    }

    /// A writer that writes nothing: for those who only want to know how large the file would be.
    package init() {
        output = nil
        file = nil
    }

    /// What is written so far; `fault` for a writer that writes nothing.
    package func written() throws(SiltError) -> WrittenChunks {
        guard let output else { throw SiltError(.fault, "chunks that were only counted are read back") }
        return try WrittenChunks(chunks, at: output.path)
    }

    /// Sizes of the chunks so far.
    package var table: ChunkTable { chunks }

    /// Appends a chunk; returns its index.
    package func append(_ bytes: [UInt8]) throws(SiltError) -> Int {
        try file?.append(bytes)
        return chunks.append(size: bytes.count, checksum: Checksum64.of(bytes))
    }

    /// Bytes of a file with this manifest and these chunks.
    package static func size(_ manifest: Manifest, _ chunks: ChunkTable) throws(SiltError) -> Int {
        ContainerHeader.reserved + chunks.payloadBytes + chunks.stored.count
            + (try ManifestFrame.bytes(of: manifest).count)
    }

    /// Writes what follows the chunks and lets the file appear, once it opens as readers do; returns its size in bytes.
    package func finish(_ manifest: Manifest) throws(SiltError) -> Int {
        let chunkBytes = chunks.stored
        let manifestBytes = try ManifestFrame.bytes(of: manifest)
        try file?.append(chunkBytes)
        try file?.append(manifestBytes)
        let header = ContainerHeader.text(
            manifest: manifest, manifestBytes: manifestBytes, chunkBytes: chunkBytes,
            payloadBytes: chunks.payloadBytes)
        try file?.finish(header)
        if let output {
            do throws(SiltError) {
                _ = try ContainerReader(output.path)
            } catch {
                throw SiltError(
                    error.code == .limit ? .limit : .fault, "the file would not be readable: \(error.message)",
                    tensor: error.tensor)
            }
            try output.commit()
        }
        return ContainerHeader.reserved + chunks.payloadBytes + chunkBytes.count + manifestBytes.count
    }
}
