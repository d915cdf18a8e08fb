package import Safetensors
package import SiltFormat
package import TensorTypes

/// What a Silt file says of itself.
///
/// Reading it takes the header, the chunk table and the manifest; no chunk.
package struct Inspection: Sendable {
    /// A tensor of the result.
    package struct Tensor: Sendable {
        /// Its name, and its file.
        package let name: String, file: String
        /// dtype and shape.
        package let info: TensorInfo
        /// Kinds of its parts, joined by `+`.
        package let kind: String
        /// Codecs of its parts, joined by `+`; empty for `copy`.
        package let codec: String
        /// Stored bytes, tables shared with others not counted.
        package let bytes: Int
        /// The base tensor that its parts refer to.
        package let base: String?
        /// Tree digest (Formats/Silt.md, section 4.4).
        ///
        /// nil: not known, since q was changed.
        package let digest: Digest128?
        /// How far the tensor is from the fine-tuned one, where the file says so.
        package let receipt: Receipt?
        /// What is added to the base, like `random mask (p 0.9), int4, q 0.1`.
        package let coding: String

        /// Stored bits for each value.
        package var bitsPerParameter: Double {
            info.parameters > 0 ? 8 * Double(bytes) / Double(info.parameters) : 0
        }
    }

    /// A file of the result.
    package struct File: Sendable {
        /// How a file comes back.
        package enum Kind: String, CaseIterable, Sendable {
            /// Rebuilt, tensor by tensor.
            case safetensors
            /// As it was stored.
            case stored
            /// From the base's directory.
            case base
        }

        /// Its path, how it comes back, and its SHA-256.
        package let path: String, kind: Kind, sha256: String?
        /// Its size, and what it takes in the Silt file.
        package let bytes: Int, storedBytes: Int
    }

    /// What the file promises.
    package let contract: Contract
    /// Under the contract lossy: how far the result is from the fine-tuned checkpoint, where the file says so.
    package let receipt: Receipt?
    /// What base, fine-tuned checkpoint and result achieve at tasks, where a lossy file says so.
    package let evaluations: [Evaluation]
    /// How the file was made: names and values.
    package let packing: [(name: String, value: String)]
    /// Root of the fine-tuned checkpoint, in a lossy file.
    package let sourceRoot: String?
    /// The header's metadata.
    package let metadata: [String: String]
    /// Program that wrote the file.
    package let writer: String
    /// Whether a file or a directory was packed.
    package let form: Checkpoint.Form
    /// Bytes of the Silt file, of the files that it gives back, and of the manifest and chunk table.
    package let bytes: Int, fineTunedBytes: Int, overheadBytes: Int
    /// Values of all tensors of the result, and of the base.
    package let parameters: Int, baseParameters: Int
    /// Tensors of the base.
    package let baseTensors: Int
    /// Roots of base and result, 64 hexadecimal digits; that of the result is nil if it is not known.
    package let baseRoot: String, resultRoot: String?
    /// The files.
    package let files: [File]
    /// The tensors.
    package let tensors: [Tensor]
    /// Shares by kind, as in `PackReport`.
    package let encodings: [String: EncodingShare]

    /// Reads `path`.
    package init(of path: String) throws(SiltError) {
        self.init(try ContainerReader(path))
    }

    /// What an open file says.
    package init(_ container: ContainerReader) {
        let manifest = container.manifest
        let table = container.chunks
        var files: [File] = []
        var tensors: [Tensor] = []
        for file in manifest.files {
            var stored = 0
            var kind = File.Kind.safetensors
            switch file.content {
            case .base: kind = .base
            case .stored(_, _, let chunks):
                kind = .stored
                stored = table.size(of: chunks)
            case .safetensors(_, let records):
                for record in records {
                    let tensor = Tensor(record, in: file.path, table, manifest)
                    stored += tensor.bytes
                    tensors.append(tensor)
                }
            }
            files.append(
                File(path: file.path, kind: kind, sha256: file.sha256, bytes: file.bytes, storedBytes: stored))
        }
        contract = manifest.contract
        receipt = manifest.receipt
        evaluations = manifest.evaluations.map { Evaluation($0) }
        packing = manifest.packing
        sourceRoot = manifest.source
        metadata = container.metadata
        writer = manifest.writer
        form = manifest.form == .file ? .file : .directory
        bytes = container.bytes
        fineTunedBytes = manifest.bytes
        overheadBytes = container.bytes - table.payloadBytes
        parameters = manifest.result.parameters
        baseParameters = manifest.base.parameters
        baseTensors = manifest.base.tensors
        baseRoot = manifest.base.root
        resultRoot = manifest.resultRoot
        self.files = files
        self.tensors = tensors
        encodings = EncodingShares.of(manifest, table)
    }
}

extension Inspection.Tensor {
    fileprivate init(_ record: TensorRecord, in file: String, _ table: ChunkTable, _ manifest: Manifest) {
        name = record.name
        self.file = file
        info = record.info
        kind = record.parts.isEmpty ? "empty" : record.parts.map(\.kindName).joined(separator: "+")
        coding = record.parts.flatMap(\.components).map(\.words).joined(separator: " + ")
        receipt = record.receipt
        codec = record.parts.compactMap(\.codec?.rawValue).joined(separator: "+")
        bytes = record.parts.reduce(0) { $0 + table.size(of: $1) }
        base = record.base.map { base in
            base.sources.count == 1
                ? base.sources[0].name : "\(base.sources[0].name) and \(base.sources.count - 1) more"
        }
        digest = record.digest
    }
}
