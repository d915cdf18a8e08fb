internal import DeltaCodecs
internal import DeltaKernels
internal import SiltFormat
internal import SiltReading
internal import TensorTypes
internal import Workers

/// Buffers and coders of one worker of the second pass.
final class EncodeWorker {
    let result = ByteBuffer()
    let base = CellReader()
    let bytes = ByteCoder()
    let words = ByteBuffer()
    let residual = ResidualEncoder.Workspace()
    let predictor = Predictor.Workspace()
    private(set) lazy var lossy = LossyEncoder.Workspace()
    private let chunk = ByteBuffer()
    private let decoded = ByteBuffer()
    private let decoder = ChunkDecoder()
    private var coders = RecentlyUsed<ObjectIdentifier, (encoder: PartEncoder, decoder: PartDecoder)>()

    /// The coders with these tables, from the last ones used if it can be.
    func coders(
        _ tables: TablesChunk, _ kind: PartKind, _ dtype: DType
    ) throws(SiltError) -> (encoder: PartEncoder, decoder: PartDecoder) {
        let key = ObjectIdentifier(tables)
        if let known = coders[key] { return known }
        guard let encoder = tables.encoder(),
            let decoder = try? PartDecoder(stored: tables.bytes, kind: kind, dtype: dtype)
        else { throw SiltError.fault("tables cannot be read back") }
        coders.insert((encoder, decoder), for: key)
        return (encoder, decoder)
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
        if bytes.isEmpty { return unsafe ByteCoder.isTrivial(result, known, bytes: size) }
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
}
