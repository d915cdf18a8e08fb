internal import SiltReading
internal import Safetensors
internal import SiltFormat
internal import Synchronization
internal import ByteSources
internal import TensorTypes

/// A file of the result on its way into the Silt file.
package final class FileTask: Sendable {
    enum Content: Sendable {
        case safetensors(SafetensorsHeader, [TensorTask])
        /// A file that is stored in pieces, unless the base directory has an equal one under the same path.
        case other(any ByteSource, base: (any ByteSource)?)
    }

    let path: String
    let input: any ByteSource
    let content: Content
    /// SHA-256 of the whole file, from the first pass.
    let sha256 = Mutex<String>("")
    /// Digests of the pieces, for a file that is stored.
    let digests: DigestSlots
    /// Whether the base directory has an equal file.
    let equalsBase = Mutex<Bool>(false)
    let firstChunk = Mutex<Int?>(nil)
    /// How its pieces are stored.
    let codec = Mutex<Codec>(.zstd)

    /// A safetensors file with its tensors.
    init(_ path: String, _ file: SafetensorsFile, _ tensors: [TensorTask]) {
        self.path = path
        input = file.input
        content = .safetensors(file.header, tensors)
        digests = DigestSlots(0)
    }

    /// Any other file.
    init(_ path: String, _ input: any ByteSource, base: (any ByteSource)?) {
        self.path = path
        self.input = input
        content = .other(input, base: base)
        digests = DigestSlots(FileRecord.pieces(input.size))
    }

    /// The bytes of piece `index`.
    func piece(_ index: Int) -> Range<Int> {
        index * FileRecord.piece..<min(input.size, (index + 1) * FileRecord.piece)
    }
}
