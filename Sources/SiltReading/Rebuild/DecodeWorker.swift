package import Workers
package import DeltaCodecs
package import TensorTypes

/// Buffers of one worker that rebuilds.
///
/// One thread has it at a time, and hands it on whole.
package final class DecodeWorker: @unchecked Sendable {
    /// What was rebuilt last; a sink may keep it and leave another buffer.
    package var result = ByteBuffer()
    package let base = CellReader()
    package let chunk = ByteBuffer()
    let comparison = ByteBuffer()
    /// The base of a cell that comes from several places.
    let gathered = ByteBuffer()
    /// For tensors of the result that predict others.
    private(set) lazy var nested = DecodeWorker(level: level)
    private let level: KernelLevel
    package let resultFloats = ByteBuffer(), sourceFloats = ByteBuffer(), baseFloats = ByteBuffer()
    /// Which cell of which tensor the result is, where somebody may ask for it again.
    var held: (tensor: ObjectIdentifier, cell: Int)?
    /// Made when a report asks for histograms.
    private(set) lazy var deltas = DeltaCounter()
    package let decoder: ChunkDecoder
    package let zstd = Zstd()
    package let predictor: Predictor.Workspace
    /// Decoders by the chunk of their tables.
    package var tables = RecentlyUsed<Int, PartDecoder>()

    package init(level: KernelLevel = .best) {
        self.level = level
        decoder = ChunkDecoder(level: level)
        predictor = Predictor.Workspace(level: level)
    }
}
