internal import DeltaCodecs

/// The version of this library and of the format that it writes.
package enum SiltVersion {
    /// Semantic version of the library and the command.
    package static let library = "0.1.0"
    /// Version of the format (Formats/Silt.md).
    package static let format = 1
    /// What the manifest's `writer` says: the byte codecs' output depends on their version.
    package static var writer: String { "silt \(library) (zstd \(Zstd.version))" }
}
