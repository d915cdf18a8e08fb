internal import SiltFormat
package import TensorTypes

/// Where chunks come from: a Silt file, or the packer's memory, which is read back before it is written.
package protocol ChunkSource: Sendable {
    /// Reads chunk `index` into `buffer` and returns its bytes, readable for `ByteBuffer.padding` bytes past their end.
    func read(_ index: Int, into buffer: ByteBuffer) throws(SiltError) -> UnsafeRawBufferPointer

    /// Reads a chunk of tables.
    func tables(_ index: Int) throws(SiltError) -> [UInt8]

    /// An error about chunk `index`.
    func fault(_ code: SiltError.Code, chunk index: Int, _ reason: String) -> SiltError
}

extension ContainerReader: ChunkSource {}

/// Chunks in memory, with numbers from 0.
package struct MemoryChunks: ChunkSource {
    package let chunks: [[UInt8]]

    package init(
        chunks: [[UInt8]]
    ) {
        self.chunks = chunks
    }

    package func read(_ index: Int, into buffer: ByteBuffer) throws(SiltError) -> UnsafeRawBufferPointer {
        buffer.reserve(chunks[index].count)
        let bytes = unsafe buffer.prefix(chunks[index].count)
        unsafe bytes.copyBytes(from: chunks[index])
        return UnsafeRawBufferPointer(bytes)
    }

    package func tables(_ index: Int) -> [UInt8] { chunks[index] }

    package func fault(_ code: SiltError.Code, chunk index: Int, _ reason: String) -> SiltError {
        SiltError(.fault, "chunk \(index): \(reason); this is a bug in silt, please report it")
    }
}
