package import Safetensors
package import TensorTypes

/// A file of the result.
package struct FileRecord: Sendable {
    /// How the file comes back.
    package enum Content: Sendable {
        /// Its header, and its tensors in the order of the header's entries.
        case safetensors(header: SafetensorsHeader, tensors: [TensorRecord])
        /// Stored in pieces.
        case stored(digest: Digest128, codec: Codec, chunks: Range<Int>)
        /// Equal to the file `from` of the base directory.
        case base(digest: Digest128, from: String)
    }

    /// Bytes of the pieces of stored and base files.
    package static let piece = 1_048_576

    package var path: String
    package var bytes: Int
    /// 64 hexadecimal digits; nil for the safetensors files of a lossy file.
    package var sha256: String?
    package var content: Content

    package init(path: String, bytes: Int, sha256: String?, content: Content) {
        self.path = path
        self.bytes = bytes
        self.sha256 = sha256
        self.content = content
    }

    /// How many pieces a file of this size has.
    package static func pieces(_ bytes: Int) -> Int { bytes / piece + (bytes % piece == 0 ? 0 : 1) }
}
