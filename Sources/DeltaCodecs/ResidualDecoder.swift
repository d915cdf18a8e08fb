internal import CSiltKernels
package import TensorTypes

/// Rebuilds chunks of the residual with one set of tables (Formats/Silt.md, section 7.4).
///
/// Workers share it.
package final class ResidualDecoder: Sendable {
    /// Bits of the patterns.
    package let width: Int
    private let origin: Int
    private let rowOfClass: [UInt8]
    private let classes: DecodingTables
    private let codes: DecodingTables

    package init(_ tables: ResidualTables) {
        width = tables.width
        origin = tables.origin
        rowOfClass = tables.rowOfClass
        classes = DecodingTables(tables.rows)
        codes = DecodingTables([tables.codes])
    }

    /// Rebuilds `count` patterns from those of the base; an empty chunk says that they are equal.
    ///
    /// - Parameters:
    ///   - chunk: the stored bytes, readable for `ByteBuffer.padding` bytes past their end.
    ///   - unitCodes: space for the codes, used again from chunk to chunk.
    ///   - level: the kernel's level; all levels give the same bits.
    /// - Throws: `ChunkError` where the chunk breaks section 6 or 7.4. What is in `result` then has no meaning.
    package func decode(
        _ chunk: UnsafeRawBufferPointer, _ layout: FloatLayout, base: UnsafeRawPointer, result: UnsafeMutableRawPointer,
        count: Int, unit: Int, unitCodes: ByteBuffer, level: KernelLevel = .best
    ) throws(ChunkError) {
        guard let start = chunk.baseAddress, chunk.count > 0 else {
            if unsafe base != UnsafeRawPointer(result) {
                unsafe result.copyMemory(from: base, byteCount: count * layout.width / 8)
            }
            return
        }
        var position = 0
        guard let unitBytes = unsafe LEB128.read(chunk, at: &position),
            let symbolBytes = unsafe LEB128.read(chunk, at: &position),
            unitBytes <= chunk.count - position, symbolBytes <= chunk.count - position - unitBytes
        else { throw ChunkError(reason: "the lengths of its streams do not fit into it") }
        let stream = unsafe start.assumingMemoryBound(to: UInt8.self) + position
        let units = (count + unit - 1) / unit
        unitCodes.reserve(units)
        let codeBytes = unsafe unitCodes.start.assumingMemoryBound(to: UInt8.self)
        var status = unsafe silt_rans_decode(
            level.rawValue, stream, unitBytes, units, 1, codes.slots(), codeBytes)
        guard status == Int32(SILT_OK) else {
            throw ChunkError(reason: Rans.reason(status) + " (unit codes)")
        }
        let rawBytes = chunk.count - position - unitBytes - symbolBytes
        status = unsafe silt_residual_decode(
            level.rawValue, silt_float(layout), base, result, count, min(unit, count), codeBytes, Int32(origin),
            rowOfClass, classes.slots(), stream + unitBytes, symbolBytes, stream + unitBytes + symbolBytes, rawBytes)
        guard status == Int32(SILT_OK) else { throw ChunkError(reason: Rans.reason(status)) }
    }
}

/// Why a chunk is refused, as the end of a sentence.
package struct ChunkError: Error, Sendable {
    package let reason: String

    package init(reason: String) { self.reason = reason }
}
