internal import ByteSources
internal import Safetensors
internal import SiltFormat
internal import TensorTypes

/// A file that is to be packed.
struct PackFile: Sendable {
    enum Content: Sendable {
        /// A safetensors file, with the places of its tensors among those of the input.
        case safetensors(SafetensorsHeader, Range<Int>)
        /// Any other file, with its place among those of the input.
        case other(Int)
    }

    let path: String
    let input: any ByteSource
    let content: Content
}

/// A file that is stored in pieces, unless the base directory has an equal one under the same path.
struct OtherFile: Sendable {
    /// Its place among the other files of the input.
    let index: Int
    let path: String
    let input: any ByteSource
    let base: (any ByteSource)?

    /// How many pieces it has.
    var pieces: Int { FileRecord.pieces(input.size) }

    /// The bytes of piece `index`.
    func piece(_ index: Int) -> Range<Int> {
        index * FileRecord.piece..<min(input.size, (index + 1) * FileRecord.piece)
    }
}
