internal import Safetensors
internal import TensorTypes

/// How the names of an adapter's targets go with those of the base's tensors.
enum AdapterNaming: Sendable, Hashable {
    /// The names are the same.
    case same
    /// The adapter's names have leading components that the base's lack, like `bert.`; the merged model takes them.
    case adapterHas(String)
    /// The base's names have leading components that the adapter's lack; the merged model keeps them.
    case baseHas(String)

    /// What a target is called in the base; nil if it has no such name.
    func baseName(of target: String) -> String? {
        switch self {
        case .same: target
        case .adapterHas(let prefix): target.hasPrefix(prefix) ? String(target.dropFirst(prefix.count)) : nil
        case .baseHas(let prefix): prefix + target
        }
    }

    /// What a tensor of the base is called in the merged model.
    func resultName(ofBase name: String) -> String {
        if case .adapterHas(let prefix) = self { prefix + name } else { name }
    }

    /// What a target that the base does not have is called in the merged model.
    func resultName(ofNew target: String) -> String {
        if case .baseHas(let prefix) = self { prefix + target } else { target }
    }

    /// One sentence for people; nil where there is nothing to say.
    var note: String? {
        switch self {
        case .same: nil
        case .adapterHas(let prefix): "the base's names lack \"\(prefix)\", which the merged model's have"
        case .baseHas(let prefix): "the base's names have \"\(prefix)\", which the adapter's lack"
        }
    }

    /// The naming under which the base has the most of `targets`; of several, the first of: the same names, fewer
    /// components that the adapter has, fewer that the base has.
    static func best(for targets: [String], in base: Checkpoint) -> AdapterNaming {
        var candidates: [AdapterNaming] = [.same]
        // Prefixes come from a few targets: those of one model have them in common.
        for target in targets.prefix(8) {
            var prefix = ""
            for component in target.split(separator: ".", omittingEmptySubsequences: false).dropLast(2) {
                prefix += component + "."
                candidates.append(.adapterHas(prefix))
            }
        }
        if let target = targets.first {
            let found = base.tensors.filter { $0.name.hasSuffix("." + target) }
            candidates += found.map { AdapterNaming.baseHas(String($0.name.dropLast(target.count))) }
                .sorted { $0.length < $1.length }
        }
        var best = (naming: AdapterNaming.same, count: -1)
        var seen: Set<AdapterNaming> = []
        for candidate in candidates where seen.insert(candidate).inserted {
            let count = targets.count { target in candidate.baseName(of: target).flatMap { base[$0] } != nil }
            if count > best.count { best = (candidate, count) }
        }
        return best.naming
    }

    private var length: Int {
        switch self {
        case .same: 0
        case .adapterHas(let prefix), .baseHas(let prefix): prefix.utf8.count
        }
    }
}
