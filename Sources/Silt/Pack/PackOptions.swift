/// How `Packer` codes, and with how many threads.
public struct PackOptions: Sendable {
    /// Which codecs the packer may choose from.
    public enum CodecChoice: String, CaseIterable, Sendable {
        /// The smallest, measured tensor by tensor.
        case auto
        /// Only Silt's own entropy coder.
        case rans
        /// XOR and byte planes, coded with zstd.
        case zstd
        /// XOR and byte planes, coded with LZ4.
        case lz4
        /// XOR, not compressed.
        case none
    }

    /// Codecs to choose from.
    public var codec = CodecChoice.auto
    /// zstd level, 1 to 22, of whatever is coded with zstd.
    public var level = 3
    /// Worker threads.
    public var threads = 2
    /// Whether an existing output may be replaced.
    public var replaceExisting = false

    /// The defaults: `auto`, level 3, 2 threads, no replacement.
    public init() {}
}
