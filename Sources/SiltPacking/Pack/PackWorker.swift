package import SiltReading
internal import Workers
package import DeltaCodecs
internal import DeltaKernels
internal import SiltFormat
package import TensorTypes

/// Buffers of one worker of the packer.
package final class PackWorker {
    package let result = ByteBuffer()
    package let base = CellReader()
    package let planes = ByteBuffer()
    package let rebuilt = ByteBuffer()
    package let predictor = Predictor.Workspace()
    package let matrix = MatrixWorkspace()
    /// A band of a delta, and the elements of fine-tuned, base and result, as Float.
    package let band = ByteBuffer(), fineFloats = ByteBuffer(), baseFloats = ByteBuffer(), resultFloats = ByteBuffer()
    package let words = ByteBuffer()
    package let residual = ResidualEncoder.Workspace()
    package let zstd = Zstd()
    private let chunk = ByteBuffer()
    private let decoded = ByteBuffer()
    private let decoder = ChunkDecoder()
    private var coders = RecentlyUsed<ObjectIdentifier, (encoder: PartEncoder, decoder: PartDecoder)>()

    /// The coders with these tables, from the last ones used if it can be.
    func coders(
        _ tables: TablesChunk, _ kind: PartKind, _ dtype: DType
    ) -> (encoder: PartEncoder, decoder: PartDecoder)? {
        let key = ObjectIdentifier(tables)
        if let known = coders[key] { return known }
        guard let encoder = tables.encoder(),
            let decoder = try? PartDecoder(stored: tables.bytes, kind: kind, dtype: dtype)
        else { return nil }
        coders.insert((encoder, decoder), for: key)
        return (encoder, decoder)
    }

    /// Whether an empty chunk stands for these bytes: they equal the base's or, without a base, are 0.
    package static func isTrivial(_ result: UnsafeRawPointer, _ base: UnsafeRawPointer?, bytes: Int) -> Bool {
        if let base = unsafe base { return unsafe Bits.areEqual(base, result, bytes: bytes) }
        return unsafe UnsafeRawBufferPointer(start: result, count: bytes).allSatisfy { $0 == 0 }
    }

    /// Whether a chunk, read as the format says, gives back the elements that it was made from.
    ///
    /// As when it is unpacked, what it gives takes the place of the base's elements: these are gone.
    func givesBack(
        _ bytes: [UInt8], _ codec: Codec, _ tables: PartDecoder?, _ dtype: DType, unit: Int,
        base: UnsafeMutableRawPointer?, result: UnsafeRawPointer, count: Int
    ) -> Bool {
        let size = count * dtype.elementBytes
        let known = unsafe base.map { UnsafeRawPointer($0) }
        if bytes.isEmpty { return unsafe PackWorker.isTrivial(result, known, bytes: size) }
        if unsafe base == nil { decoded.reserve(size) }
        let target = unsafe base ?? decoded.start
        chunk.reserve(bytes.count)
        let stored = unsafe chunk.prefix(bytes.count)
        unsafe stored.copyBytes(from: bytes)
        do throws(ChunkError) {
            try unsafe decoder.decode(
                UnsafeRawBufferPointer(stored), codec, tables, dtype, unit: unit, base: known, into: target,
                count: count)
        } catch {
            return false
        }
        return unsafe Bits.areEqual(target, result, bytes: size)
    }

    package init() {}
}
