internal import Safetensors
internal import SiltFormat
internal import Synchronization
internal import TensorFiles
internal import TensorTypes

/// Recomputes what a file says of its result after q was changed: digests, root and receipts.
struct DigestUpdate: Sendable {
    let context: WorkContext

    init(_ context: WorkContext) { self.context = context }

    /// Rebuilds everything, and writes the digests (with `fineTuned`, the receipts too) into `file`.
    func run(
        base: String, file: String, against fineTuned: String?
    ) throws(SiltError) -> (bytes: Int, root: String) {
        let container = try ContainerReader(file)
        var manifest = container.manifest
        let binding = BaseBinding(checkpoint: try Checkpoint.asBase(base))
        let fidelity = try fineTuned.map { path throws(SiltError) in try Fidelity(manifest, path, binding) }
        var slots: [ByteName: (record: TensorRecord, digests: DigestSlots)] = [:]
        for record in manifest.tensors where record.digest == nil {
            slots[ByteName(record.name)] = (record, DigestSlots(record.info.grid.count))
        }
        let known = slots
        let rebuilder = Rebuilder(container, binding, context.pipeline)
        try unsafe rebuilder.run(
            rebuilder.plan(Rebuilder.refuse), "verifying", context.progress,
            sink: { (worker, index, offset, name, bytes) throws(SiltError) in
                guard let name else { return }
                try unsafe fidelity?.add(bytes, file: index, at: offset, tensor: name, worker)
                guard let (record, digests) = known[ByteName(name)] else { return }
                let cell = (offset - record.range.lowerBound) / (record.info.grid.cell * record.info.dtype.elementBytes)
                unsafe digests.set(cell, Digest128(of: bytes))
            }, verdict: Rebuilder.refuse)
        let receipts = fidelity?.receipts
        manifest.changeTensors { tensor in
            if tensor.digest == nil { tensor.digest = known[ByteName(tensor.name)]?.digests.tree }
            if let receipts { tensor.receipt = receipts.byTensor[ByteName(tensor.name)] }
        }
        manifest.result.root = CheckpointRoot.root(of: manifest.tensors) ?? ""
        if let receipts { manifest.receipt = receipts.overall }
        return (try ContainerRewriter.write(container, manifest, to: file), manifest.result.root)
    }
}
