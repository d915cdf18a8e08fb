internal import TensorTypes

/// A key of `rank_pattern` or `alpha_pattern`, matched as PEFT does: `(.*\.)?(KEY)$` from the start of a module's path.
///
/// Understands what such keys use: characters, `.`, escapes, classes, groups, `|`, `*`, `+`, `?`, `{m,n}`, `^` and `$`. Sets of
/// positions are carried along instead of going back, and repetitions do not nest, so that no pattern from a file takes long.
struct KeyPattern: Sendable {
    indirect enum Node: Sendable {
        case any
        case one(of: Set<UInt8>, negated: Bool)
        case start, end
        case sequence([Node])
        case choice([Node])
        case repeated(Node, from: Int, to: Int)

        /// Whether something in it repeats.
        var repeats: Bool {
            switch self {
            case .any, .one, .start, .end: false
            case .sequence(let nodes), .choice(let nodes): nodes.contains(where: \.repeats)
            case .repeated: true
            }
        }
    }

    /// The most bytes that a pattern may have.
    static let limit = 1_024

    private let root: Node

    /// Throws `usage` for a pattern that is too long or has what this type does not know.
    init(_ key: String) throws(SiltError) {
        guard key.utf8.count <= KeyPattern.limit else {
            throw SiltError(.usage, "a pattern has \(key.utf8.count) bytes; at most \(KeyPattern.limit) are allowed")
        }
        var parser = KeyPatternParser(key)
        root = try parser.pattern()
    }

    /// Whether the path of a module is the key or ends with a dot and the key.
    func matches(_ path: String) -> Bool {
        let text = Array(path.utf8)
        var starts: Set<Int> = [0]
        for (index, byte) in text.enumerated() where byte == UInt8(ascii: ".") { starts.insert(index + 1) }
        return ends(of: root, in: text, from: starts).contains(text.count)
    }

    /// Where matches of `node` can end that begin at one of `starts`.
    private func ends(of node: Node, in text: [UInt8], from starts: Set<Int>) -> Set<Int> {
        guard !starts.isEmpty else { return [] }
        switch node {
        case .any: return Set(starts.lazy.filter { $0 < text.count && text[$0] != 10 }.map { $0 + 1 })
        case .one(let set, let negated):
            return Set(starts.lazy.filter { $0 < text.count && set.contains(text[$0]) != negated }.map { $0 + 1 })
        case .start: return starts.intersection([0])
        case .end: return starts.intersection([text.count])
        case .sequence(let nodes): return nodes.reduce(starts) { ends(of: $1, in: text, from: $0) }
        case .choice(let nodes): return nodes.reduce(into: []) { $0.formUnion(ends(of: $1, in: text, from: starts)) }
        case .repeated(let node, let least, let most):
            var current = starts
            var all: Set<Int> = least == 0 ? starts : []
            for count in stride(from: 1, through: most, by: 1) {
                let next = ends(of: node, in: text, from: current)
                // A round that moves nothing is followed by others like it.
                let isSettled = next == current
                current = next
                if count >= least || isSettled { all.formUnion(current) }
                if current.isEmpty || isSettled { break }
            }
            return all
        }
    }
}
