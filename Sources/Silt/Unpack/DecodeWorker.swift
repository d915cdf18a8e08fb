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
    /// Decoders of the last tables, newest first: a tensor's own, and those of the groups of small tensors.
    var decoders: [(tables: Int, decoder: PartDecoder)] = []
    /// How many decoders are kept. The residual's take up to half a MiB each.
    static let decodersKept = 4
}

/// A decoder with its tables.
enum PartDecoder {
    case residual(ResidualDecoder)
    case planes(PlaneCodec)
}
