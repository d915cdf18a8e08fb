internal import DeltaCodecs
internal import TensorTypes

/// The manifest as a file stores it: one zstd frame, within the caps of Formats/Silt.md, section 4.
enum ManifestFrame {
    /// Tried one after the other; the last hardly compresses at all.
    private static let levels = [19, 1, -131_072]

    /// The most bytes that the text of a frame of `stored` bytes may have.
    static func cap(stored: Int) -> Int { min(268_435_456, 1_048_576 + 64 * stored) }

    /// The frame of a manifest.
    ///
    /// Many tensors that are alike compress better than readers allow for; then the frame is made larger.
    ///
    /// - Throws: `limit` if the text is larger than any manifest may be.
    static func bytes(of manifest: Manifest) throws(SiltError) -> [UInt8] {
        let text = manifest.json.serialized()
        let zstd = Zstd()
        for level in levels {
            let frame = zstd.compress(text, level: level)
            if text.count <= cap(stored: frame.count) { return frame }
        }
        throw SiltError(
            .limit, "the manifest would have \(text.count) bytes, more than the format allows",
            advice: "pack fewer tensors or files into one Silt file")
    }
}
