package import DeltaCodecs
package import SiltFormat

/// Chunks of a tensor's components, numbered from 0 until they enter the file.
package struct ComponentChunks: Sendable {

    package init() {
    }
    package private(set) var chunks: [[UInt8]] = []

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
