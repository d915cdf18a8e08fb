package import DeltaCodecs
internal import DeltaKernels
package import SiltFormat
package import TensorTypes

/// Turns a chunk into elements (Formats/Silt.md, sections 7 and 8).
///
/// Unpacking uses it, and so does packing, which decodes every chunk once more before it enters the file. One for each
/// worker.
package final class ChunkDecoder {
    private let planes = ByteBuffer()
    private let unitCodes = ByteBuffer()
    private let zstd = Zstd()
    private let level: KernelLevel

    package init(level: KernelLevel = .best) { self.level = level }

    /// Decodes a chunk that is not empty.
    ///
    /// - Parameters:
    ///   - chunk: its bytes, readable for `ByteBuffer.padding` bytes past their end.
    ///   - tables: the decoder of the part's tables, for codec rans.
    ///   - base: the elements of the base as the result's dtype; nil for `whole`.
    ///   - target: where `count` elements of `dtype` go; may be `base`.
    /// - Throws: `ChunkError` where the chunk breaks the format.
    package func decode(
        _ chunk: UnsafeRawBufferPointer, _ codec: Codec, _ tables: PartDecoder?, _ dtype: DType, unit: Int?,
        base: UnsafeRawPointer?, into target: UnsafeMutableRawPointer, count: Int
    ) throws(ChunkError) {
        let width = dtype.elementBytes
        let bytes = count * width
        switch (codec, tables) {
        case (.none, _):
            guard chunk.count == bytes, let start = chunk.baseAddress else {
                throw ChunkError(reason: "it has \(chunk.count) bytes instead of \(bytes)")
            }
            if let base = unsafe base, unsafe base != UnsafeRawPointer(target) {
                unsafe target.copyMemory(from: base, byteCount: bytes)
            }
            if unsafe base != nil {
                unsafe Planes.xor(target, start, bytes: bytes)
            } else {
                unsafe target.copyMemory(from: start, byteCount: bytes)
            }
            return
        case (.rans, .residual(let decoder)):
            guard let base = unsafe base, let layout = dtype.floatLayout, let unit else {
                throw ChunkError(reason: "its part is not a residual")
            }
            try unsafe decoder.decode(
                chunk, layout, base: base, result: target, count: count, unit: unit, unitCodes: unitCodes,
                level: level)
            return
        case (.rans, .planes(let codec)):
            planes.reserve(bytes)
            try unsafe codec.decode(chunk, planes: planes.start, count: count, level: level)
        case (.rans, nil):
            throw ChunkError(reason: "its part has no tables")
        case (.zstd, _):
            planes.reserve(bytes)
            try unsafe zstd.decompress(chunk, into: planes.prefix(bytes))
        case (.lz4, _):
            planes.reserve(bytes)
            try unsafe LZ4.decompress(chunk, into: planes.prefix(bytes))
        }
        unsafe Planes.merge(width: width, planes.start, base: base, count: count, into: target)
    }
}

/// A decoder with its tables.
package enum PartDecoder {
    case residual(ResidualDecoder)
    case planes(PlaneDecoder)

    /// Reads the tables that a part of this kind and dtype needs; throws the reason, as the end of a sentence.
    package init(stored: [UInt8], kind: PartKind, dtype: DType) throws(TablesError) {
        if kind == .exact {
            self = .residual(ResidualDecoder(try ResidualTables(stored: stored, width: dtype.elementBytes * 8)))
        } else {
            let tables = try PlaneTables(stored: stored, elementBytes: dtype.elementBytes)
            self = .planes(PlaneDecoder(tables))
        }
    }

    /// Whether the decoder is what such a part needs; a hostile file may share tables between parts that differ.
    func suits(_ kind: PartKind, _ dtype: DType) -> Bool {
        switch self {
        case .residual(let decoder): kind == .exact && decoder.width == 8 * dtype.elementBytes
        case .planes(let codec): kind != .exact && codec.elementBytes == dtype.elementBytes
        }
    }
}
