public import TensorTypes

/// The header of a safetensors file: what tensors it has and where their bytes lie.
///
/// Every rule of the reference reader holds. Refused beyond them, because readers differ on it: a first byte other than
/// `{`, a key that appears twice (or in two spellings of the same characters), fields beside the three of an entry, an
/// entry as an array, and extents over 2^63 - 1. Memory is bounded by the header's length.
public struct SafetensorsHeader: Sendable {
    /// A tensor of the file.
    public struct Entry: Sendable, Hashable {
        /// Its name.
        public let name: String
        /// Its dtype and shape.
        public let info: TensorInfo
        /// Its bytes, counted from the start of the data (which is at `dataStart` in the file).
        public let range: Range<Int>
    }

    /// The most bytes that a header may have: the cap of the reference reader and writer.
    public static let limit = 100_000_000

    /// The header's bytes as they stand in the file, padding included.
    public let text: [UInt8]
    /// The free-form `__metadata__`; nil if the header has none, or `null` in its place.
    public let metadata: [String: String]?
    /// The tensors, ascending by their ranges; those without bytes come first at their place, by the bytes of the name.
    public let entries: [Entry]
    private let positions: [ByteName: Int]

    /// Where the data begin in the file, in bytes.
    public var dataStart: Int { 8 + text.count }

    /// Checks the header `text` of the file `file`, which is `fileBytes` long from the 8 bytes of its length field to the
    /// end of the data.
    ///
    /// Throws `header` naming the broken rule, or `truncated` if only the file is too short.
    public init(text: [UInt8], fileBytes: Int, file: String) throws(SiltError) {
        let parser = HeaderParser(text: text, fileBytes: fileBytes, file: file)
        (metadata, entries) = try parser.contents()
        var positions: [ByteName: Int] = [:]
        for (position, entry) in entries.enumerated() {
            // JSON tells keys apart by their bytes or by their characters; a Dictionary does the latter.
            guard positions.updateValue(position, forKey: ByteName(entry.name)) == nil else {
                throw parser.error("two tensors have names with the same characters", tensor: entry.name)
            }
        }
        self.positions = positions
        self.text = text
    }

    /// The tensor `name`; nil if there is none.
    public subscript(name: String) -> Entry? { positions[ByteName(name)].map { entries[$0] } }
}
