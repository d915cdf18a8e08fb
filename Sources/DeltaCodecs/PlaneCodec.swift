internal import CSiltKernels
package import TensorTypes

/// Codes and decodes planes with one set of tables (Formats/Silt.md, section 8.3).
///
/// Workers share it.
package final class PlaneCodec: Sendable {
    private let tables: PlaneTables
    private let encoding: EncodingTables?
    private let decoding: DecodingTables?

    /// Planes of an element.
    package var elementBytes: Int { tables.planes.count }

    /// A codec that only codes or only decodes, since each needs tables of its own form.
    package init(_ tables: PlaneTables, forEncoding: Bool) {
        self.tables = tables
        let rows = tables.planes.map { plane in
            if case .coded(let table) = plane { table } else { FrequencyTable.certain(0) }
        }
        encoding = forEncoding ? EncodingTables(rows) : nil
        decoding = forEncoding ? nil : DecodingTables(rows)
    }

    /// Codes planes of `count` bytes each that follow one another at `planes`.
    ///
    /// `words` is space for one plane.
    package func encode(
        _ planes: UnsafeRawPointer, count: Int, words: ByteBuffer, level: KernelLevel = .best
    ) -> [UInt8] {
        guard let encoding else { preconditionFailure("a codec for decoding does not encode") }
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

    /// Decodes planes of `count` bytes each to `planes`.
    package func decode(
        _ chunk: UnsafeRawBufferPointer, planes: UnsafeMutableRawPointer, count: Int, level: KernelLevel = .best
    ) throws(ChunkError) {
        guard let decoding else { preconditionFailure("a codec for encoding does not decode") }
        var position = 0
        for (index, mode) in tables.planes.enumerated() {
            let plane = unsafe planes.assumingMemoryBound(to: UInt8.self) + index * count
            switch mode {
            case .zero: unsafe plane.update(repeating: 0, count: count)
            case .raw:
                guard let start = chunk.baseAddress, chunk.count - position >= count else {
                    throw ChunkError(reason: "plane \(index) ends early")
                }
                unsafe UnsafeMutableRawPointer(plane).copyMemory(from: start + position, byteCount: count)
                position += count
            case .coded:
                guard let bytes = unsafe LEB128.read(chunk, at: &position), bytes <= chunk.count - position,
                    let start = unsafe chunk.baseAddress?.assumingMemoryBound(to: UInt8.self)
                else { throw ChunkError(reason: "plane \(index) ends early") }
                let status = unsafe silt_rans_decode(
                    level.rawValue, start + position, bytes, count, UInt32(Rans.lanes(for: count)),
                    decoding.slots(row: index), plane)
                guard status == Int32(SILT_OK) else {
                    throw ChunkError(reason: Rans.reason(status) + " (plane \(index))")
                }
                position += bytes
            }
        }
        guard position == chunk.count else { throw ChunkError(reason: "bytes are left over after its last plane") }
    }
}
