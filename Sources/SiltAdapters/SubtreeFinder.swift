internal import Safetensors
internal import TensorTypes

/// Finds the subtrees of a base that the names of an adapter's targets mean.
///
/// PEFT names modules as the library has them in memory, the hub's file as it had them when the file was made, and these differ
/// by what stands in front of whole subtrees: `model.language_model.layers` is `language_model.model.layers` in one file and
/// `model.layers` in another. So a subtree goes to where the base has all of its names, with shapes that fit; one that goes
/// nowhere is cut into those below it, but not below the number of a layer. Two places that fit alike are an error.
struct SubtreeFinder {
    /// Something that the base must have.
    struct Target: Sendable {
        let name: String
        /// Whether a tensor of this dtype and shape can be meant.
        let fits: @Sendable (TensorInfo) -> Bool
    }

    /// The most subtrees that are tried.
    private static let limit = 512
    /// Components that say no more than that this is a model of language, which most names leave out or have somewhere.
    private static let plain: Set<Substring> = ["model", "language_model", "text_model", "base_model", "transformer"]

    private let base: BaseNames
    private var tried = 0
    private(set) var subtrees: [AdapterNaming.Subtree] = []
    /// Targets that the base does not have under any name.
    private(set) var missing: [String] = []

    init(_ base: BaseNames) { self.base = base }

    /// Looks for all targets.
    ///
    /// Throws `baseMissing` if a subtree fits at two places.
    mutating func find(_ targets: [Target]) throws(SiltError) {
        try settle("", targets)
        var taken: Set<ByteName> = []
        for tree in subtrees where !taken.insert(ByteName(tree.to)).inserted {
            missing += targets.map(\.name).filter { tree.holds($0) }
        }
    }

    private mutating func settle(_ prefix: String, _ targets: [Target]) throws(SiltError) {
        tried += 1
        guard tried <= SubtreeFinder.limit else {
            missing += targets.map(\.name)
            return
        }
        if let place = try place(prefix, targets) {
            subtrees.append(.init(from: prefix, to: place))
            return
        }
        var children: [(word: Substring, targets: [Target])] = []
        var places: [ByteName: Int] = [:]
        var modules: [Target] = []
        for target in targets {
            let rest = target.name.utf8Dropping(prefix.utf8.count)
            guard let dot = rest.firstIndex(of: "."), rest[rest.index(after: dot)...].contains(".") else {
                modules.append(target)
                continue
            }
            let word = rest[..<dot]
            if let place = places[ByteName(String(word))] {
                children[place].targets.append(target)
            } else {
                places[ByteName(String(word))] = children.count
                children.append((word, [target]))
            }
        }
        // The children of a list of layers, and a module that was looked for already.
        let isList = children.contains { $0.word.allSatisfy(\.isNumber) }
        guard !isList, children.count + modules.count > 1 || modules.isEmpty else {
            missing += targets.map(\.name)
            return
        }
        for child in children { try settle(prefix + child.word + ".", child.targets) }
        for module in modules {
            if let place = try place(prefix, [module]) {
                let word = module.name.utf8Dropping(prefix.utf8.count).prefix { $0 != "." } + "."
                subtrees.append(.init(from: prefix + word, to: place + word))
            } else {
                missing.append(module.name)
            }
        }
    }

    /// What stands for `prefix` in the base's names; nil if they do not have all targets.
    ///
    /// Throws `baseMissing` if several places fit.
    func place(_ prefix: String, _ targets: [Target]) throws(SiltError) -> String? {
        let rests = targets.map { String($0.name.utf8Dropping(prefix.utf8.count)) }
        // The same names, nearly always.
        if has(prefix, rests, targets, fitting: true) { return prefix }
        guard let longest = rests.max(by: { $0.utf8.count < $1.utf8.count }) else { return nil }
        let named = base.prefixes(before: longest).filter { has($0, rests, targets, fitting: false) }
        var fitting = named.filter { has($0, rests, targets, fitting: true) }
        if fitting.isEmpty {
            // What does not fit is told by its shapes, not as missing.
            return named.contains(prefix) ? prefix : named.count == 1 ? named[0] : nil
        }
        var alike = fitting.filter { SubtreeFinder.words($0) == SubtreeFinder.words(prefix) }
        if alike.isEmpty { alike = fitting.filter { SubtreeFinder.areAlike(prefix, $0) } }
        // A module alone says little: only the words around it show that it is the same.
        if rests.allSatisfy({ $0.utf8.count { $0 == UInt8(ascii: ".") } < 2 }), !prefix.isEmpty || fitting.count > 1 {
            let isVocabulary = rests.allSatisfy { VocabularyNames.contains($0) }
            fitting = fitting.filter {
                $0.isEmpty || alike.contains($0) || isVocabulary && SubtreeFinder.words($0).isEmpty
            }
        }
        if fitting.count < 2 { return fitting.first }
        if fitting.contains("") { return "" }
        if !prefix.isEmpty {
            let equal = alike.filter { SubtreeFinder.all($0) == SubtreeFinder.all(prefix) }
            if let only = equal.count == 1 ? equal.first : alike.count == 1 ? alike.first : nil { return only }
        }
        let from = prefix.isEmpty ? longest : prefix
        throw SiltError(
            .baseMissing,
            "the adapter's \"\(from)\" could be the base's \"\(fitting[0])\" or \"\(fitting[1])\": both fit",
            tensor: targets.first?.name,
            advice: "its names and the base's differ, and do not show which is meant: \(AdapterVariants.merge)")
    }

    private func has(_ prefix: String, _ rests: [String], _ targets: [Target], fitting: Bool) -> Bool {
        for (rest, target) in zip(rests, targets) {
            guard let tensor = base[prefix + rest], !fitting || target.fits(tensor.info) else { return false }
        }
        return true
    }

    /// Whether two prefixes say the same but for words further out, which only one has.
    private static func areAlike(_ one: String, _ other: String) -> Bool {
        func inner(_ prefix: String, has words: Set<Substring>) -> Bool {
            let components = prefix.split(separator: ".")
            return components.indices.contains { Set(components[$0...]).subtracting(plain) == words }
        }
        return inner(one, has: words(other)) || inner(other, has: words(one))
    }

    private static func all(_ prefix: String) -> [Substring] { prefix.split(separator: ".").sorted() }

    /// The components that tell one subtree from another.
    private static func words(_ prefix: String) -> Set<Substring> {
        Set(prefix.split(separator: ".")).subtracting(plain)
    }
}
