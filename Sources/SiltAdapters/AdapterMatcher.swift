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
    /// Tensors that the adapter has whole, and what becomes of them.
    let saved: SavedMatcher

    /// Matches `adapter` against `base`.
    ///
    /// Throws `baseMissing` if the base has no tensor that the adapter changes, or more than one that could be meant; `baseShape`
    /// or `baseDType` if it has another shape or type, `limit` for factors over the format's limits, and `header` for tensors that
    /// nothing asks for.
    init(_ adapter: Adapter, base: Checkpoint, _ cancellation: Cancellation = Cancellation()) throws(SiltError) {
        let names = BaseNames(base)
        let finder = try AdapterMatcher.find(adapter, names, base)
        let naming = AdapterNaming(finder.subtrees)
        var saved = SavedMatcher(adapter, base, names, naming, finder)
        var taken: Set<ByteName> = []
        func found(_ target: String, _ entry: SafetensorsHeader.Entry) throws(SiltError) -> Checkpoint.Tensor {
            guard let name = naming.baseName(of: target), let tensor = names[name] else {
                throw AdapterMatcher.missing(target, adapter, names, base)
            }
            guard taken.insert(ByteName(tensor.name)).inserted else {
                throw SiltError(
                    .header, "two modules of the adapter are the base's \"\(tensor.name)\"", file: adapter.file.path,
                    tensor: entry.name,
                    advice: "the file has more than one adapter; save each in a directory of its own")
            }
            return tensor
        }
        var matched: [FactorOrientation.Match] = []
        for pair in adapter.pairs {
            let tensor = try found(pair.target, pair.first)
            let below = saved.whole(pair.target, over: tensor)
            matched.append(.init(pair: pair, tensor: tensor, shape: below?.entry.info.shape ?? tensor.info.shape))
        }
        let orientation = FactorOrientation(matched, isFanInFanOut: adapter.configuration.isFanInFanOut)
        var updates: [ByteName: LowRankUpdate] = [:]
        for match in matched {
            updates[ByteName(match.tensor.name)] = try orientation.update(match, adapter)
        }
        var sparse: [ByteName: SparsePair] = [:]
        for pair in adapter.sparse {
            let tensor = try found(pair.target, pair.values)
            try AdapterMatcher.check(pair, tensor)
            sparse[ByteName(tensor.name)] = pair
        }
        try saved.match(updates: updates, sparse: sparse, cancellation)
        self.naming = naming.adding(saved.additions.map(\.target), to: base.tensors.map(\.name))
        (self.updates, self.sparse, self.saved) = (updates, sparse, saved)
    }

    private static func find(
        _ adapter: Adapter, _ names: BaseNames, _ base: Checkpoint
    ) throws(SiltError) -> SubtreeFinder {
        var finder = SubtreeFinder(names)
        let whole = Dictionary(adapter.saved.map { (ByteName($0.target), $0.entry.info.shape) }) { first, _ in first }
        var targets = adapter.pairs.map { pair in
            let shape = whole[ByteName(pair.target)]
            return SubtreeFinder.Target(name: pair.target) { info in
                let weight = shape.map { $0.dropFirst() == info.shape.dropFirst() ? $0 : info.shape }
                return FactorOrientation.fit(pair, weight ?? info.shape) != .none
            }
        }
        targets += adapter.sparse.map { pair in
            .init(name: pair.target) { $0.shape.count == 2 && $0.parameters >= pair.values.info.parameters }
        }
        guard targets.isEmpty else {
            do throws(SiltError) {
                try finder.find(targets)
            } catch {
                throw error.at(file: adapter.file.path)
            }
            if let first = finder.missing.first(where: { names[$0] == nil }) ?? finder.missing.first {
                throw missing(first, adapter, names, base)
            }
            return finder
        }
        // Of whole tensors, some may be new.
        try finder.find(
            adapter.saved.map { saved in
                .init(name: saved.target) { $0.shape.dropFirst() == saved.entry.info.shape.dropFirst() }
            })
        return finder
    }

    /// The base lacks a target: the names differ, or it is another model.
    private static func missing(
        _ target: String, _ adapter: Adapter, _ names: BaseNames, _ base: Checkpoint
    ) -> SiltError {
        let pair = adapter.pairs.first { $0.target == target }
        let named = pair?.first ?? adapter.sparse.first { $0.target == target }?.values
        let near = names.nearest(to: target).map { "; the nearest name there is \"\($0)\"" } ?? ""
        let message =
            "the base \(base.path) has no \"\(target)\", which the adapter's \"\(named?.name ?? target)\" changes"
        let isTied = target.hasSuffix("lm_head.weight")
        let isQuantized = names[String(target.dropLast("weight".count)) + "qweight"] != nil
        return SiltError(
            .baseMissing, message + (isTied ? "" : near), file: adapter.file.path, tensor: target,
            advice: isTied
                ? "the base ties it to its embeddings: \(AdapterVariants.merge)"
                : isQuantized ? "the base is quantised: give it in full precision" : adapter.configuration.rightBase)
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
}

extension AdapterConfiguration {
    /// Advice where the base is not the model that the adapter was trained on.
    var rightBase: String {
        let name = baseModel.map { "which its configuration names as \($0)" } ?? "which its configuration does not name"
        return "give the model that the adapter was trained on, \(name), in the same size and version"
    }
}
