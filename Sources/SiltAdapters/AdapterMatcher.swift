internal import Workers
internal import Safetensors
internal import TensorTypes

/// Finds, for everything in an adapter, the tensor of the base that it changes, and checks that it fits.
struct AdapterMatcher: Sendable {
    let naming: AdapterNaming
    /// Low-rank updates by the names of the base's tensors.
    let updates: [ByteName: LowRankUpdate]
    /// Sparse updates by the names of the base's tensors.
    let sparse: [ByteName: SparsePair]
    /// Whole tensors that stand for the base's, by the names of those.
    let replacements: [ByteName: SavedTensor]
    /// Whole tensors that the base does not have, ascending by their targets.
    let additions: [SavedTensor]

    /// Matches `adapter` against `base`.
    ///
    /// Throws `baseMissing` if the base has no tensor that the adapter changes, `baseShape` or `baseDType` if it has another
    /// shape or type, `limit` for factors over the format's limits, and `header` for tensors that nothing asks for.
    init(_ adapter: Adapter, base: Checkpoint, _ cancellation: Cancellation = Cancellation()) throws(SiltError) {
        let needed = adapter.pairs.map(\.target) + adapter.sparse.map(\.target)
        let naming = AdapterNaming.best(for: needed.isEmpty ? adapter.saved.map(\.target) : needed, in: base)
        self.naming = naming
        func tensor(_ target: String) -> Checkpoint.Tensor? { naming.baseName(of: target).flatMap { base[$0] } }
        func found(_ target: String, _ entry: SafetensorsHeader.Entry) throws(SiltError) -> Checkpoint.Tensor {
            if let tensor = tensor(target) { return tensor }
            let isTied = target.hasSuffix("lm_head.weight")
            throw SiltError(
                .baseMissing,
                "the base \(base.path) has no \"\(naming.baseName(of: target) ?? target)\", "
                    + "which the adapter's \"\(entry.name)\" changes", file: adapter.file.path, tensor: target,
                advice: isTied
                    ? "the base ties it to its embeddings: \(AdapterVariants.merge)"
                    : "is the adapter of another base? Its configuration names \(adapter.configuration.baseModel ?? "none")"
            )
        }
        var matched: [(pair: LowRankPair, tensor: Checkpoint.Tensor)] = []
        for pair in adapter.pairs { matched.append((pair, try found(pair.target, pair.first))) }
        let orientation = FactorOrientation(matched, isFanInFanOut: adapter.configuration.isFanInFanOut)
        var updates: [ByteName: LowRankUpdate] = [:]
        for (pair, tensor) in matched {
            updates[ByteName(tensor.name)] = try orientation.update(pair, tensor, adapter)
        }
        var sparse: [ByteName: SparsePair] = [:]
        for pair in adapter.sparse {
            let tensor = try found(pair.target, pair.values)
            try AdapterMatcher.check(pair, tensor)
            sparse[ByteName(tensor.name)] = pair
        }
        var replacements: [ByteName: SavedTensor] = [:]
        var additions: [SavedTensor] = []
        for saved in adapter.saved {
            if let tensor = tensor(saved.target) {
                try AdapterMatcher.check(saved, tensor)
                let name = ByteName(tensor.name)
                if updates[name] != nil || sparse[name] != nil {
                    try SavedCopy.check(saved, tensor, cancellation)
                } else {
                    replacements[name] = saved
                }
            } else {
                guard saved.isDeclared else {
                    throw SiltError(
                        .header,
                        "nothing uses the tensor: the base has no \"\(saved.target)\", and modules_to_save "
                            + "and bias do not name it", file: adapter.file.path, tensor: saved.entry.name,
                        advice: AdapterVariants.merge)
                }
                additions.append(saved)
            }
        }
        (self.updates, self.sparse, self.replacements, self.additions) = (updates, sparse, replacements, additions)
    }

    private static func check(_ pair: SparsePair, _ tensor: Checkpoint.Tensor) throws(SiltError) {
        guard [.f32, .f16, .bf16].contains(tensor.info.dtype) else {
            throw SiltError(
                .baseDType,
                "the base's \"\(tensor.name)\" is \(tensor.info.description); an adapter can change F32, F16 "
                    + "and BF16", file: pair.file.path, tensor: pair.values.name)
        }
        // No rows are no matrix, and rows of more columns than the format's are none either.
        let isMatrix =
            tensor.info.shape.count == 2 && tensor.info.parameters > 0
            && tensor.info.shape[1] <= LowRankUpdate.limit.columns
        guard isMatrix, pair.values.info.parameters <= tensor.info.parameters else {
            throw SiltError(
                .baseShape,
                "the \(pair.values.info.parameters) values do not fit into the base's \"\(tensor.name)\", "
                    + tensor.info.description, file: pair.file.path, tensor: pair.values.name)
        }
    }

    /// A whole tensor may have more or fewer rows than the base's (another number of labels), if the configuration names it.
    private static func check(_ saved: SavedTensor, _ tensor: Checkpoint.Tensor) throws(SiltError) {
        guard saved.entry.info.dtype.converts(to: tensor.info.dtype) else {
            throw SiltError(
                .baseDType,
                "the base's \"\(tensor.name)\" is \(tensor.info.dtype.rawValue), the adapter's "
                    + saved.entry.info.dtype.rawValue, file: saved.file.path, tensor: saved.entry.name)
        }
        let (ours, theirs) = (saved.entry.info.shape, tensor.info.shape)
        let isLonger = saved.isDeclared && ours.count == theirs.count && ours.dropFirst() == theirs.dropFirst()
        guard ours == theirs || isLonger else {
            throw SiltError(
                .baseShape, "the base's \"\(tensor.name)\" is \(theirs), the adapter's \(ours)", file: saved.file.path,
                tensor: saved.entry.name, advice: "is the adapter of another base?")
        }
    }
}
