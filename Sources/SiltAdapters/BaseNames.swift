internal import Safetensors
internal import TensorTypes

/// The tensors of a base by their names without the words of wrappers.
struct BaseNames: Sendable {
    private let base: Checkpoint
    private let stripped: [String]
    private let places: [ByteName: [Int]]

    init(_ base: Checkpoint) {
        self.base = base
        stripped = base.tensors.map { WrapperWords.stripped($0.name).components.joined(separator: ".") }
        var places: [ByteName: [Int]] = [:]
        for (place, name) in stripped.enumerated() { places[ByteName(name), default: []].append(place) }
        self.places = places
    }

    /// The tensor of this name, as it stands or without the words of wrappers; nil if there is none, or more than one.
    subscript(name: String) -> Checkpoint.Tensor? {
        if let tensor = base[name] { return tensor }
        guard let found = places[ByteName(name)], found.count == 1 else { return nil }
        return base.tensors[found[0]]
    }

    /// What stands before `rest` in the names that are or end with it: nothing, or components with their dots.
    func prefixes(before rest: String) -> [String] {
        var prefixes: [String] = []
        var seen: Set<ByteName> = []
        let dot = UInt8(ascii: ".")
        for name in stripped where name.utf8.count >= rest.utf8.count {
            let prefix = name.utf8.dropLast(rest.utf8.count)
            guard prefix.isEmpty || prefix.last == dot, name.utf8.suffix(rest.utf8.count).elementsEqual(rest.utf8)
            else { continue }
            let text = String(Substring(prefix))
            if seen.insert(ByteName(text)).inserted { prefixes.append(text) }
        }
        return prefixes
    }

    /// A name of the base that ends with as many of the last components of `target` as any does, two at least.
    func nearest(to target: String) -> String? {
        let words = target.split(separator: ".", omittingEmptySubsequences: false)
        for count in stride(from: words.count - 1, through: 2, by: -1) {
            let rest = words.suffix(count).joined(separator: ".")
            if let prefix = prefixes(before: rest).first { return prefix + rest }
        }
        return nil
    }
}
