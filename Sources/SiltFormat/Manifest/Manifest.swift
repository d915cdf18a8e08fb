/// The manifest of a Silt file (Formats/Silt.md, section 4).
package struct Manifest: Sendable {
    /// Whether the result is one file or a directory.
    package enum Form: String, CaseIterable, Sendable { case file, directory }

    /// The version of the format that this code writes and reads.
    package static let version = 1

    package var contract: Contract
    package var writer: String
    package var form: Form
    package var base: Identity
    /// Its root is empty if a tensor's digest is not known.
    package var result: Identity
    /// Bytes of all files of the result.
    package var bytes: Int
    package var files: [FileRecord]
    /// Root of the fine-tuned checkpoint, in a lossy file.
    package var source: String?
    /// How far the result is from it.
    package var receipt: Receipt?
    /// What base, fine-tuned checkpoint and result achieve at tasks, in a lossy file; empty for none.
    package var evaluations: [EvaluationRecord] = []
    /// How the file was made, for people: names and values, in order.
    package var packing: [(name: String, value: String)] = []
    package var adapter: AdapterRecord?

    package init(
        contract: Contract, writer: String, form: Form, base: Identity, result: Identity, bytes: Int,
        files: [FileRecord]
    ) {
        self.contract = contract
        self.writer = writer
        self.form = form
        self.base = base
        self.result = result
        self.bytes = bytes
        self.files = files
    }

    /// The result's root; nil if it is not known.
    package var resultRoot: String? { result.root.isEmpty ? nil : result.root }

    /// Changes the tensors of all files, in order.
    package mutating func changeTensors<Failure: Error>(
        _ change: (inout TensorRecord) throws(Failure) -> Void
    ) throws(Failure) {
        for index in files.indices {
            guard case .safetensors(let header, var tensors) = files[index].content else { continue }
            for tensor in tensors.indices { try change(&tensors[tensor]) }
            files[index].content = .safetensors(header: header, tensors: tensors)
        }
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
