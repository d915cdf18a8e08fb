package import DeltaCodecs
package import SiltFormat
package import TensorTypes

/// Opens the matrices of components (Formats/Silt.md, section 12.3).
package struct MatrixReader: Sendable {
    package let source: any ChunkSource
    package let level: KernelLevel

    package init(
        source: any ChunkSource, level: KernelLevel
    ) {
        self.source = source
        self.level = level
    }

    /// A decoder of `record`, a matrix of `rows` x `columns`.
    ///
    /// - Parameter identity: what seeds its masks beside the seed: the tensor's name, and `:left` or `:right` for factors.
    /// - Throws: `tables` or `chunk` if its tables or the positions of its columns break the format.
    package func decoder(
        _ record: MatrixRecord, rows: Int, columns: Int, identity: String
    ) throws(SiltError) -> MatrixDecoder {
        var maskTables: [[UInt8]?] = []
        for index in record.maskTables { maskTables.append(try tables(index)) }
        let valueTables = try tables(record.valueTables)
        let buffer = ByteBuffer()
        var columnChunk: UnsafeRawBufferPointer?
        if let index = record.columnChunk { unsafe columnChunk = try source.read(index, into: buffer) }
        do throws(MatrixError) {
            return try unsafe MatrixDecoder(
                record.coding, rows: rows, columns: columns, identity: Checksum64.of(Array(identity.utf8)),
                maskTables: maskTables, valueTables: valueTables, columnChunk: columnChunk, level: level)
        } catch {
            switch error {
            case .tables(let error, let mask):
                let index = mask.flatMap { record.maskTables[$0] } ?? record.valueTables ?? 0
                throw source.fault(.tables, chunk: index, "the tables \(error.reason)")
            case .columns(let error):
                throw source.fault(.chunk, chunk: record.columnChunk ?? 0, error.reason)
            }
        }
    }

    private func tables(_ index: Int?) throws(SiltError) -> [UInt8]? {
        guard let index else { return nil }
        return try source.tables(index)
    }

    /// Decodes cell `cell` of the matrix into `target`, dense.
    package func decode(
        _ record: MatrixRecord, _ decoder: MatrixDecoder, cell: Int, into target: UnsafeMutablePointer<Float>,
        chunk: ByteBuffer, _ workspace: MatrixWorkspace
    ) throws(SiltError) {
        let index = record.chunks.lowerBound + cell
        let bytes = try unsafe source.read(index, into: chunk)
        do throws(ChunkError) {
            try unsafe decoder.decode(bytes, rows: decoder.grid.rows(of: cell), into: target, workspace: workspace)
        } catch {
            throw source.fault(.chunk, chunk: index, error.reason)
        }
    }

    /// What the masks of cell `cell` keep; nil if nothing.
    package func kept(
        _ record: MatrixRecord, _ decoder: MatrixDecoder, cell: Int, chunk: ByteBuffer, _ workspace: MatrixWorkspace
    ) throws(SiltError) -> MatrixDecoder.Kept? {
        let index = record.chunks.lowerBound + cell
        let bytes = try unsafe source.read(index, into: chunk)
        do throws(ChunkError) {
            return try unsafe decoder.kept(bytes, rows: decoder.grid.rows(of: cell), workspace: workspace)
        } catch {
            throw source.fault(.chunk, chunk: index, error.reason)
        }
    }
}
