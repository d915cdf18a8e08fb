internal import DeltaCodecs
internal import TensorTypes

/// Buffers of one worker that rebuilds.
final class DecodeWorker {
    let result = ByteBuffer()
    let base = CellReader()
    let chunk = ByteBuffer()
    let planes = ByteBuffer()
    let unitCodes = ByteBuffer()
    let comparison = ByteBuffer()
    let zstd = Zstd()
    /// Decoders by the chunk of their tables.
    var decoders = RecentlyUsed<Int, PartDecoder>()
}

/// A decoder with its tables.
enum PartDecoder {
    case residual(ResidualDecoder)
    case planes(PlaneCodec)
}
