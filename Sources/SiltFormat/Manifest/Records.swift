package import Safetensors
package import TensorTypes

/// The kinds of parts (Formats/Silt.md, section 4.3).
package enum PartKind: String, CaseIterable, Sendable {
    case copy, exact, xor, whole
}

/// The codecs of parts and stored files.
package enum Codec: String, CaseIterable, Sendable {
    case none, zstd, lz4, rans
}

/// What makes up a run of a tensor's elements.
package struct PartRecord: Sendable, Hashable {
    package var kind: PartKind
    /// The elements, in C order.
    package var elements: Range<Int>
    /// Absent for `copy`.
    package var codec: Codec?
    /// One chunk for each cell of the grid that the elements touch; empty for `copy`.
    package var chunks: Range<Int>
    /// The chunk of the tables, for `rans`.
    package var tables: Int?
    /// Elements that share one scale, for `exact`.
    package var unit: Int?

    package init(
        kind: PartKind, elements: Range<Int>, codec: Codec? = nil, chunks: Range<Int> = 0..<0, tables: Int? = nil,
        unit: Int? = nil
    ) {
        self.kind = kind
        self.elements = elements
        self.codec = codec
        self.chunks = chunks
        self.tables = tables
        self.unit = unit
    }
}

/// The tensor of the base to which a tensor's parts refer.
package struct BaseTensorRecord: Sendable, Hashable {
    package var name: String
    package var info: TensorInfo
    package var digest: Digest128

    package init(name: String, info: TensorInfo, digest: Digest128) {
        self.name = name
        self.info = info
        self.digest = digest
    }
}

/// A tensor of the result.
package struct TensorRecord: Sendable, Hashable {
    package var name: String
    package var info: TensorInfo
    /// Where its data lie in its file, in bytes from the start of the data.
    package var range: Range<Int>
    package var digest: Digest128
    package var base: BaseTensorRecord?
    package var parts: [PartRecord]

    package init(
        name: String, info: TensorInfo, range: Range<Int>, digest: Digest128, base: BaseTensorRecord?,
        parts: [PartRecord]
    ) {
        self.name = name
        self.info = info
        self.range = range
        self.digest = digest
        self.base = base
        self.parts = parts
    }
}

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
    /// 64 hexadecimal digits.
    package var sha256: String
    package var content: Content

    package init(path: String, bytes: Int, sha256: String, content: Content) {
        self.path = path
        self.bytes = bytes
        self.sha256 = sha256
        self.content = content
    }

    /// How many pieces a file of this size has.
    package static func pieces(_ bytes: Int) -> Int { (bytes + piece - 1) / piece }
}

/// Which checkpoint a base or a result is.
package struct Identity: Sendable, Hashable {
    /// 64 hexadecimal digits (Formats/Silt.md, section 4.4).
    package var root: String
    package var tensors: Int
    package var parameters: Int

    package init(root: String, tensors: Int, parameters: Int) {
        self.root = root
        self.tensors = tensors
        self.parameters = parameters
    }
}

/// The manifest of a Silt file (Formats/Silt.md, section 4).
package struct Manifest: Sendable {
    /// Whether the result is one file or a directory.
    package enum Form: String, CaseIterable, Sendable { case file, directory }

    /// The version of the format that this code writes and reads.
    package static let version = 1

    package var writer: String
    package var form: Form
    package var base: Identity
    package var result: Identity
    /// Bytes of all files of the result.
    package var bytes: Int
    package var files: [FileRecord]

    package init(writer: String, form: Form, base: Identity, result: Identity, bytes: Int, files: [FileRecord]) {
        self.writer = writer
        self.form = form
        self.base = base
        self.result = result
        self.bytes = bytes
        self.files = files
    }

    /// The tensors of all files, in order.
    package var tensors: [TensorRecord] {
        files.flatMap { file -> [TensorRecord] in
            guard case .safetensors(_, let tensors) = file.content else { return [] }
            return tensors
        }
    }
}
