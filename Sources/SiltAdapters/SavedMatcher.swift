internal import Workers
internal import Safetensors
internal import TensorTypes

/// What becomes of the tensors that an adapter has whole.
///
/// PEFT saves modules that were trained as a whole (`modules_to_save`), embeddings and heads after a change of the vocabulary or
/// below an update of theirs (`save_embedding_layers`), and biases.
struct SavedMatcher: Sendable {
    /// Those that stand for the base's, by the names of those.
    private(set) var replacements: [ByteName: SavedTensor] = [:]
    /// Those that stand for the base's below an update, by the names of those.
    private(set) var foundations: [ByteName: SavedTensor] = [:]
    /// Those that the base does not have, ascending by their targets.
    private(set) var additions: [SavedTensor] = []
    /// Those that repeat another, which has the base's tensor of this name replaced.
    private(set) var repeats: [(entry: SafetensorsHeader.Entry, base: String)] = []
    /// Tensors of the adapter that the merged model does not show.
    private(set) var hidden: [SafetensorsHeader.Entry] = []
    /// What is to be told to the user.
    private(set) var notices: [String] = []

    private let adapter: Adapter
    private let base: Checkpoint
    private let names: BaseNames
    private let naming: AdapterNaming
    private let finder: SubtreeFinder
    private let byTarget: [ByteName: SavedTensor]

    init(
        _ adapter: Adapter, _ base: Checkpoint, _ names: BaseNames, _ naming: AdapterNaming, _ finder: SubtreeFinder
    ) {
        (self.adapter, self.base, self.names, self.naming, self.finder) = (adapter, base, names, naming, finder)
        byTarget = Dictionary(adapter.saved.map { (ByteName($0.target), $0) }) { first, _ in first }
    }

    /// The whole tensor below an update of `tensor`, if it has another number of rows.
    func whole(_ target: String, over tensor: Checkpoint.Tensor) -> SavedTensor? {
        guard let saved = byTarget[ByteName(target)],
            saved.entry.info.shape.dropFirst() == tensor.info.shape.dropFirst()
        else { return nil }
        return saved
    }

    /// Decides about all, beside the updates of the base's tensors.
    mutating func match(
        updates: [ByteName: LowRankUpdate], sparse: [ByteName: SparsePair], _ cancellation: Cancellation
    ) throws(SiltError) {
        hidden = adapter.ignored.compactMap { adapter.file.header[$0] }
        var missing: [SavedTensor] = []
        for saved in adapter.saved {
            guard let tensor = try tensor(saved) else {
                missing.append(saved)
                continue
            }
            try check(saved, tensor)
            let name = ByteName(tensor.name)
            if updates[name] != nil || sparse[name] != nil {
                hidden.append(saved.entry)
                guard try !SavedCopy.areEqual(.init(saved), .init(tensor), cancellation) else { continue }
                guard let update = updates[name] else {
                    throw SiltError(
                        .usage, "the adapter both replaces \"\(saved.target)\" and adapts it", file: saved.file.path,
                        tensor: saved.entry.name, advice: AdapterVariants.merge)
                }
                foundations[name] = saved
                hidden += [update.left.name, update.right.name].compactMap { adapter.file.header[$0] }
            } else {
                guard replacements.updateValue(saved, forKey: name) == nil else {
                    throw SiltError(
                        .header, "two tensors of the adapter are the base's \"\(tensor.name)\"", file: saved.file.path,
                        tensor: saved.entry.name)
                }
                if saved.entry.info.dtype != tensor.info.dtype { hidden.append(saved.entry) }
            }
            if let (old, new) = rows(tensor, saved), old != new {
                notices.append(
                    "\"\(tensor.name)\" has \(new) rows instead of the base's \(old): the merged model's config.json is the "
                        + "base's, so set vocab_size there")
            }
        }
        for saved in missing { try add(saved, cancellation) }
    }

    private func rows(_ tensor: Checkpoint.Tensor, _ saved: SavedTensor) -> (Int, Int)? {
        guard VocabularyNames.isInput(tensor.name), let old = tensor.info.shape.first,
            let new = saved.entry.info.shape.first
        else { return nil }
        return (old, new)
    }

    /// The base's tensor that a whole one is, if it has it.
    private func tensor(_ saved: SavedTensor) throws(SiltError) -> Checkpoint.Tensor? {
        if let name = naming.baseName(of: saved.target) { return names[name] }
        if let tensor = names[saved.target] { return tensor }
        let words = saved.target.split(separator: ".", omittingEmptySubsequences: false)
        guard words.count >= 2 else { return nil }
        let prefix = words.dropLast(2).map { $0 + "." }.joined()
        let target = SubtreeFinder.Target(name: saved.target) { info in
            info.shape.dropFirst() == saved.entry.info.shape.dropFirst()
        }
        do throws(SiltError) {
            guard let place = try finder.place(prefix, [target]) else { return nil }
            return names[place + words.suffix(2).joined(separator: ".")]
        } catch {
            throw error.at(file: saved.file.path)
        }
    }

    /// Takes in a tensor that the base does not have: a head that the base ties to its embeddings, or a new module.
    private mutating func add(_ saved: SavedTensor, _ cancellation: Cancellation) throws(SiltError) {
        if let name = try tied(saved, cancellation) {
            if let name { repeats.append((saved.entry, name)) } else { hidden.append(saved.entry) }
            return
        }
        let isHead = VocabularyNames.isOutput(saved.target) && hasEmbedding(like: saved)
        guard saved.isDeclared || isHead else {
            throw SiltError(
                .header,
                "nothing uses the tensor: the base has no \"\(saved.target)\", and modules_to_save "
                    + "and bias do not name it", file: saved.file.path, tensor: saved.entry.name,
                advice: "\(adapter.configuration.rightBase); or \(AdapterVariants.merge)")
        }
        if isHead {
            notices.append(
                "the base has no \"\(saved.target)\" and ties it to its embeddings, but the adapter's differs from them: the "
                    + "merged model has it, so set tie_word_embeddings to false in its config.json")
        }
        additions.append(saved)
    }

    /// Whether a head is a copy of embeddings, those of the adapter or the base's; nil: it is none.
    ///
    /// If it is, the name of the base's tensor that the same values replace; nil if there is none.
    private func tied(_ saved: SavedTensor, _ cancellation: Cancellation) throws(SiltError) -> String?? {
        guard VocabularyNames.isOutput(saved.target) else { return nil }
        for (name, other) in replacements.sorted(by: { $0.key.string < $1.key.string })
        where VocabularyNames.isInput(name.string) && other.entry.info == saved.entry.info {
            guard try SavedCopy.areEqual(.init(saved), .init(other), cancellation) else { continue }
            return .some(other.entry.info.dtype == base[name.string]?.info.dtype ? name.string : nil)
        }
        let inputs = base.tensors.filter { VocabularyNames.isInput($0.name) }.map { SavedCopy.Place($0) }
        for place in foundations.values.map({ SavedCopy.Place($0) }) + inputs
        where try SavedCopy.areEqual(.init(saved), place, cancellation) {
            return .some(nil)
        }
        return nil
    }

    /// Whether the merged model has embeddings with as many rows and columns.
    private func hasEmbedding(like saved: SavedTensor) -> Bool {
        base.tensors.contains { tensor in
            let name = ByteName(tensor.name)
            let shape = (replacements[name] ?? foundations[name])?.entry.info.shape ?? tensor.info.shape
            return VocabularyNames.isInput(tensor.name) && shape == saved.entry.info.shape
        }
    }

    /// A whole tensor may have more or fewer rows than the base's: another number of labels, if the configuration names it, or
    /// another vocabulary.
    private func check(_ saved: SavedTensor, _ tensor: Checkpoint.Tensor) throws(SiltError) {
        guard saved.entry.info.dtype.converts(to: tensor.info.dtype) else {
            throw SiltError(
                .baseDType,
                "the base's \"\(tensor.name)\" is \(tensor.info.dtype.rawValue), the adapter's "
                    + saved.entry.info.dtype.rawValue, file: saved.file.path, tensor: saved.entry.name,
                advice: "give the base in full precision")
        }
        let (ours, theirs) = (saved.entry.info.shape, tensor.info.shape)
        let mayDiffer = saved.isDeclared || VocabularyNames.contains(tensor.name)
        let isLonger = mayDiffer && ours.count == theirs.count && ours.dropFirst() == theirs.dropFirst()
        guard ours == theirs || isLonger else {
            throw SiltError(
                .baseShape, "the base's \"\(tensor.name)\" is \(theirs), the adapter's \(ours)", file: saved.file.path,
                tensor: saved.entry.name, advice: adapter.configuration.rightBase)
        }
    }
}
