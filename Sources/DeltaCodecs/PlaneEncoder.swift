package import TensorTypes

/// Codes planes with one set of tables (Formats/Silt.md, section 8.3).
///
/// Workers share it.
package final class PlaneEncoder: Sendable {
    private let tables: PlaneTables
    private let encoding: EncodingTables

    package init(_ tables: PlaneTables) {
        self.tables = tables
        encoding = EncodingTables(tables.rows)
    }

    /// Codes planes of `count` bytes each that follow one another at `planes`.
    ///
    /// `words` is space for one plane.
    package func encode(
        _ planes: UnsafeRawPointer, count: Int, words: ByteBuffer, level: KernelLevel = .best
    ) -> [UInt8] {
        let lanes = Rans.lanes(for: count)
        let room = 2 * count + 4 * lanes + 2
        words.reserve(room)
        let end = unsafe words.start.assumingMemoryBound(to: UInt8.self) + room
        var chunk: [UInt8] = []
        for (index, mode) in tables.planes.enumerated() {
            let plane = unsafe planes.assumingMemoryBound(to: UInt8.self) + index * count
            switch mode {
            case .zero: break
            case .raw: unsafe chunk.append(contentsOf: UnsafeBufferPointer(start: plane, count: count))
            case .coded:
                let bytes = unsafe encoding.encode(
                    plane, rows: nil, row: index, count: count, lanes: lanes, end: end, level: level)
                LEB128.append(bytes, to: &chunk)
                unsafe chunk.append(contentsOf: UnsafeBufferPointer(start: end - bytes, count: bytes))
            }
        }
        return chunk
    }
}

extension PlaneTables {
    /// A table for each plane, whether it is coded or not.
    var rows: [FrequencyTable] {
        planes.map { plane in
            if case .coded(let table) = plane { table } else { FrequencyTable.certain(0) }
        }
    }
}
