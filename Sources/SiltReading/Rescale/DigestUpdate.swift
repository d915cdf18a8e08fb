internal import Workers
internal import Safetensors
internal import SiltFormat
internal import Synchronization
internal import ByteSources
internal import TensorTypes

/// Recomputes what a file says of its result after q was changed: digests, root and receipts.
struct DigestUpdate: Sendable {
    let context: WorkContext

    init(_ context: WorkContext) { self.context = context }

    /// Rebuilds everything that `container` holds; returns its manifest with the digests (with `fineTuned`, the receipts too).
    func manifest(
        of container: ContainerReader, base: String, against fineTuned: String?
    ) throws(SiltError) -> Manifest {
        var manifest = container.manifest
        let binding = BaseBinding(checkpoint: try Checkpoint.asBase(base))
        if let fineTuned { try checkSource(manifest, fineTuned) }
        let measurement = try fineTuned.map { path throws(SiltError) in try ReceiptMeasurement(manifest, path, binding)
        }
        var slots: [ByteName: (record: TensorRecord, digests: DigestSlots)] = [:]
        for record in manifest.tensors where record.digest == nil {
            slots[ByteName(record.name)] = (record, DigestSlots(record.info.grid.count))
        }
        let known = slots
        let rebuilder = Rebuilder(container, binding, context.pool)
        try unsafe rebuilder.run(
            rebuilder.plan(Rebuilder.refuse), "verifying", context.progress,
            sink: { (worker, index, offset, name, bytes) throws(SiltError) in
                guard let name else { return }
                try unsafe measurement?.add(bytes, file: index, at: offset, tensor: name, worker)
                guard let (record, digests) = known[ByteName(name)] else { return }
                let cell = (offset - record.range.lowerBound) / (record.info.grid.cell * record.info.dtype.elementBytes)
                unsafe digests.set(cell, Digest128(of: bytes))
            }, verdict: Rebuilder.refuse)
        let receipts = measurement?.receipts
        manifest.changeTensors { tensor in
            if tensor.digest == nil { tensor.digest = known[ByteName(tensor.name)]?.digests.tree }
            if let receipts { tensor.receipt = receipts.byTensor[ByteName(tensor.name)] }
        }
        manifest.result.root = CheckpointRoot.root(of: manifest.tensors) ?? ""
        if let receipts { manifest.receipt = receipts.overall }
        return manifest
    }

    /// Throws `usage` unless `fineTuned` is the checkpoint that was packed: a receipt against another one would be wrong.
    private func checkSource(_ manifest: Manifest, _ fineTuned: String) throws(SiltError) {
        guard let source = manifest.source else { return }
        let checkpoint = try Checkpoint.asResult(fineTuned)
        let reader = CellReader()
        var tensors: [(name: String, info: TensorInfo, digest: Digest128)] = []
        for record in manifest.tensors {
            guard let tensor = checkpoint[record.name] else { continue }
            var pieces: [Digest128] = []
            for cell in 0..<tensor.info.grid.count {
                try context.cancellation.check()
                let read = try unsafe reader.read(
                    tensor, tensor.info.grid.range(cell), as: tensor.info.dtype, hashing: true)
                if let digest = unsafe read.digest { pieces.append(digest) }
            }
            tensors.append((tensor.name, tensor.info, Digest128(pieces: pieces)))
        }
        guard CheckpointRoot.root(of: tensors) != source else { return }
        throw SiltError(
            .usage, "this is not the fine-tuned checkpoint that the file was packed from", file: fineTuned,
            advice: "receipts refer to that one; silt inspect shows its root")
    }
}
