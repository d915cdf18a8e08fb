internal import Safetensors
internal import ByteSources
package import TensorTypes

/// Gives a Silt file another manifest: the chunks stay as they are.
package enum ContainerRewriter {
    /// Bytes that are copied at a time.
    private static let piece = 4 << 20

    /// Replaces `reader`'s file by one with `manifest`; returns its size.
    ///
    /// The new file is whole, and has been opened as readers do, before it takes the name.
    /// - Parameter check: asked before each piece whether to go on; what it throws ends the work, and nothing is replaced.
    /// - Throws: `usage` if the file has entries of extensions, which would be lost; `io`, `cannotCreate`; `fault` if no reader
    ///   would take the new manifest.
    package static func replace(
        _ reader: ContainerReader, with manifest: Manifest, check: () throws(SiltError) -> Void
    ) throws(SiltError) -> Int {
        guard reader.file.header.entries.count == 3 else {
            throw SiltError(
                .usage, "the file has entries of extensions, which rewriting it would lose", file: reader.path,
                advice: "pack again, or use the program that wrote them")
        }
        let staged = try StagedOutput(at: reader.path, form: .file, replacing: .file)
        let output = SafetensorsAppender(staged.file, room: ContainerHeader.room)
        let input = reader.file.input
        let table = reader.chunks.stored
        let start = reader.file.header.dataStart
        let kept = reader.chunks.payloadBytes + table.count
        let buffer = ByteBuffer(capacity: min(piece, kept))
        var done = 0
        while done < kept {
            try check()
            let bytes = unsafe buffer.prefix(min(piece, kept - done))
            try unsafe input.read(into: bytes, at: start + done)
            try unsafe output.append(UnsafeRawBufferPointer(bytes))
            done += bytes.count
        }
        let manifestBytes = try ManifestFrame.bytes(of: manifest)
        try output.append(manifestBytes)
        let header = ContainerHeader.text(
            manifest: manifest, manifestBytes: manifestBytes, chunkBytes: table,
            payloadBytes: reader.chunks.payloadBytes)
        try output.finish(header)
        do throws(SiltError) {
            _ = try ContainerReader(staged.path)
        } catch {
            throw SiltError(
                .fault, "the file that would replace it cannot be read: \(error.message)", file: reader.path)
        }
        try staged.commit()
        return ContainerHeader.reserved + kept + manifestBytes.count
    }
}
