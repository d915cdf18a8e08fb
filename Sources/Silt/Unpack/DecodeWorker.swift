internal import DeltaCodecs
internal import TensorTypes

/// Buffers of one worker that rebuilds.
final class DecodeWorker {
    /// What was rebuilt last; a sink may keep it and leave another buffer.
    var result = ByteBuffer()
    let base = CellReader()
    let chunk = ByteBuffer()
    let comparison = ByteBuffer()
    let resultFloats = ByteBuffer(), sourceFloats = ByteBuffer(), baseFloats = ByteBuffer()
    /// Made when a report asks for histograms.
    private(set) lazy var deltas = DeltaCounter()
    let decoder: ChunkDecoder
    let zstd = Zstd()
    let predictor: Predictor.Workspace
    /// Decoders by the chunk of their tables.
    var tables = RecentlyUsed<Int, PartDecoder>()

    init(level: KernelLevel = .best) {
        decoder = ChunkDecoder(level: level)
        predictor = Predictor.Workspace(level: level)
    }
}
