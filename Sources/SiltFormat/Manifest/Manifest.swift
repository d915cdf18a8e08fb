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
