internal import TensorTypes

/// How the names of an adapter's targets go with those of the base's tensors: by subtrees, each as a whole.
///
/// All names are without the words of wrappers (`WrapperWords`).
struct AdapterNaming: Sendable, Hashable {
    /// Leading components in the adapter's names, and what stands for them in the base's; each with its dots, or empty.
    struct Subtree: Sendable, Hashable {
        let from: String
        let to: String
    }

    /// The same names.
    static let same = AdapterNaming([Subtree(from: "", to: "")])

    /// The longest `from` first.
    let subtrees: [Subtree]
    /// What is put before the base's names in the merged model, because the adapter is of a model with more around it.
    private(set) var around = ""

    init(_ subtrees: [Subtree]) {
        self.subtrees = subtrees.sorted { first, second in
            let (one, other) = (first.from.utf8.count, second.from.utf8.count)
            return one == other ? first.from.utf8.lexicographicallyPrecedes(second.from.utf8) : one > other
        }
    }

    /// What a target is called in the base; nil if it is in no subtree.
    func baseName(of target: String) -> String? {
        subtrees.first { $0.holds(target) }.map { $0.to + target.utf8Dropping($0.from.utf8.count) }
    }

    /// What a tensor of the base is called in the merged model.
    func resultName(ofBase name: String) -> String { around + name }

    /// What a target that the base does not have is called in the merged model.
    func resultName(ofNew target: String) -> String { around.isEmpty ? baseName(of: target) ?? target : target }

    /// The naming of a merged model with `targets` that the base, whose names are `names`, does not have.
    ///
    /// `bert.encoder…` beside `classifier…`, over a base with `encoder…`: that is a model with a head, whose names are the
    /// adapter's. Where nothing is new, or all that is new has the same words in front, or some of the base's names have these
    /// words too, the merged model has the base's names.
    func adding(_ targets: [String], to names: [String]) -> AdapterNaming {
        guard subtrees.count == 1, let tree = subtrees.first, tree.to.isEmpty, !tree.from.isEmpty,
            targets.contains(where: { !tree.holds($0) }), !names.contains(where: { tree.holds($0) })
        else { return self }
        var copy = self
        copy.around = tree.from
        return copy
    }

    /// One sentence for people for each subtree that has another name.
    var notes: [String] {
        subtrees.reversed().filter { $0.from != $0.to }.map { tree in
            let (from, to) = (tree.from.isEmpty ? "the adapter's names" : "the adapter's \"\(tree.from)\"", tree.to)
            if to.isEmpty {
                return around.isEmpty
                    ? "\(from) is not in the base's names" : "\(from) is put before the base's names"
            }
            return "\(from) \(tree.from.isEmpty ? "are below" : "is") the base's \"\(to)\""
        }
    }
}

extension AdapterNaming.Subtree {
    func holds(_ target: String) -> Bool { target.utf8.starts(with: from.utf8) }
}

extension String {
    /// The string without its first `count` bytes, which end at a dot or are none.
    func utf8Dropping(_ count: Int) -> Substring { self[utf8.index(utf8.startIndex, offsetBy: count)...] }
}
