internal import ByteSources
package import TensorTypes

/// The chunks of a file that is being written, read back: another file may have some of them too.
package final class WrittenChunks: Sendable {
    private let table: ChunkTable
    private let file: LocalFile

    init(_ table: ChunkTable, at path: String) throws(SiltError) {
        self.table = table
        file = try LocalFile(path)
    }

    /// Reads a chunk.
    ///
    /// - Throws: `changed` if it is not what was written.
    package func chunk(_ index: Int) throws(SiltError) -> [UInt8] {
        let range = table.range(index)
        let start = ContainerHeader.reserved
        let bytes = try file.bytes(start + range.lowerBound..<start + range.upperBound)
        guard Checksum64.of(bytes) == table.checksum(index) else {
            throw SiltError(.changed, "chunk \(index) is not what was written", file: file.path)
        }
        return bytes
    }
}
