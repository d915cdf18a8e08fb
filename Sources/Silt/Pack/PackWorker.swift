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
    private var encoders = RecentlyUsed<ObjectIdentifier, PartEncoder>()

    /// The encoder with these tables, from the last ones used if it can be.
    func encoder(_ tables: TablesChunk) -> PartEncoder? {
        let key = ObjectIdentifier(tables)
        if let known = encoders[key] { return known }
        guard let encoder = tables.encoder() else { return nil }
        encoders.insert(encoder, for: key)
        return encoder
    }
}
