package import DeltaCodecs
package import SiltFormat
package import TensorTypes

/// Chunks of a tensor's components, numbered from 0 until they enter the file.
package struct ComponentChunks: Sendable {
    package private(set) var chunks: [[UInt8]] = []

    package init() {}

    /// Chunks that came from a file.
    init(_ chunks: [[UInt8]]) { self.chunks = chunks }

    /// Takes in an encoded matrix and gives its record.
    package mutating func append(_ matrix: EncodedMatrix) -> MatrixRecord {
        let maskTables = matrix.maskTables.map { $0.map { append($0) } }
        let valueTables = matrix.valueTables.map { append($0) }
        let columns = matrix.columnChunk.map { append($0) }
        let first = chunks.count
        chunks += matrix.chunks
        return MatrixRecord(
            coding: matrix.coding, chunks: first..<chunks.count, maskTables: maskTables, columnChunk: columns,
            valueTables: valueTables)
    }

    /// Takes in a chunk and gives its number.
    @discardableResult
    package mutating func append(_ chunk: [UInt8]) -> Int {
        chunks.append(chunk)
        return chunks.count - 1
    }

    /// Bytes of all chunks, with what each takes in the chunk table.
    package var bytes: Int { chunks.reduce(0) { $0 + $1.count + 12 } }

    /// Puts the chunks into a file; records move by what this gives.
    package func write(to writer: ContainerWriter) throws(SiltError) -> Int {
        let offset = writer.table.count
        for chunk in chunks { _ = try writer.append(chunk) }
        return offset
    }

    /// Enters the chunks in the table of a file that is not written; records move by what this gives.
    package func enter(in table: inout ChunkTable) -> Int {
        let offset = table.count
        for chunk in chunks { _ = table.append(size: chunk.count, checksum: Checksum64.of(chunk)) }
        return offset
    }
}

extension ComponentRecord {
    /// The component once its chunks have moved by `offset`.
    package func moved(by offset: Int) -> ComponentRecord {
        changing { matrix in
            matrix.chunks = matrix.chunks.lowerBound + offset..<matrix.chunks.upperBound + offset
            matrix.maskTables = matrix.maskTables.map { $0.map { $0 + offset } }
            matrix.columnChunk = matrix.columnChunk.map { $0 + offset }
            matrix.valueTables = matrix.valueTables.map { $0 + offset }
        }
    }
}

extension PartRecord {
    /// The part once its chunks and those of its components have moved by `offset`.
    package func moved(by offset: Int) -> PartRecord {
        var part = self
        part.components = components.map { $0.moved(by: offset) }
        if codec != nil { part.chunks = chunks.lowerBound + offset..<chunks.upperBound + offset }
        return part
    }
}
