package import TensorTypes

/// What an adapter needs to come back (Formats/Silt.md, section 12.8).
package struct AdapterRecord: Sendable {
    /// A tensor of the adapter.
    package struct Tensor: Sendable {
        /// Which factor of a low-rank component it is.
        package enum Factor: String, CaseIterable, Sendable { case left, right }

        /// Where its values are.
        package enum Source: Sendable {
            /// The tensor `of` of the result itself.
            case result(of: String)
            /// A factor of the one low-rank component of the result's tensor `of`, or its transpose.
            case factor(Factor, of: String, transposed: Bool)
            /// Bytes of its own.
            case stored(Stored)
        }

        package var name: String
        package var source: Source

        package init(name: String, source: Source) {
            self.name = name
            self.source = source
        }
    }

    /// The bytes of a tensor that the result does not have, in pieces like those of a stored file.
    package struct Stored: Sendable {
        package var info: TensorInfo
        /// Of the bytes, with the pieces of `FileRecord.piece`.
        package var digest: Digest128
        /// `zstd` or `none`.
        package var codec: Codec
        package var chunks: Range<Int>

        package init(info: TensorInfo, digest: Digest128, codec: Codec, chunks: Range<Int>) {
            self.info = info
            self.digest = digest
            self.codec = codec
            self.chunks = chunks
        }

        /// The bytes of piece `piece`.
        package func range(_ piece: Int) -> Range<Int> {
            piece * FileRecord.piece..<min(info.bytes, (piece + 1) * FileRecord.piece)
        }
    }

    /// The text of adapter_config.json.
    package var config: String
    package var tensors: [Tensor]

    package init(config: String, tensors: [Tensor]) {
        self.config = config
        self.tensors = tensors
    }
}
