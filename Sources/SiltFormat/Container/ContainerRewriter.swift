internal import Safetensors
internal import ByteSources
package import TensorTypes

/// Gives a Silt file another manifest: the chunks stay as they are, in the same blocks where the file system can share them.
package enum ContainerRewriter {
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
        let table = reader.chunks.stored
        let kept = reader.chunks.payloadBytes + table.count
        let start = reader.file.header.dataStart
        // From the very beginning if the header may stay as long as it is, though it is written anew: whole blocks can be shared.
        let skipped = start == ContainerHeader.reserved ? start : 0
        try staged.file.copy(
            start - skipped..<start + kept, of: reader.file.input, to: ContainerHeader.reserved - skipped, check: check)
        try reader.file.input.checkUnchanged()
        let output = SafetensorsAppender(staged.file, room: ContainerHeader.room, dataBytes: kept)
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
