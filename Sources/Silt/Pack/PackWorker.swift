internal import DeltaCodecs
internal import TensorTypes

/// Buffers of one worker of the packer.
final class PackWorker {
    let result = ByteBuffer()
    let base = CellReader()
    let planes = ByteBuffer()
    let words = ByteBuffer()
    let residual = ResidualEncoder.Workspace()
    let zstd = Zstd()
}
