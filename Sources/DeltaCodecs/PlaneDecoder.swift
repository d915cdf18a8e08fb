internal import CSiltKernels
package import TensorTypes

/// Decodes planes with one set of tables (Formats/Silt.md, section 8.3).
///
/// Workers share it.
package final class PlaneDecoder: Sendable {
    private let tables: PlaneTables
    private let decoding: DecodingTables

    /// Planes of an element.
    package var elementBytes: Int { tables.planes.count }

    package init(_ tables: PlaneTables) {
        self.tables = tables
        decoding = DecodingTables(tables.rows)
    }

    /// Decodes planes of `count` bytes each to `planes`.
    package func decode(
        _ chunk: UnsafeRawBufferPointer, planes: UnsafeMutableRawPointer, count: Int, level: KernelLevel = .best
    ) throws(ChunkError) {
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
