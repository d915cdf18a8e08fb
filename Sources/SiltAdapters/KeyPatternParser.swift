internal import TensorTypes

/// Reads the syntax of `KeyPattern`.
struct KeyPatternParser {
    private static let depthLimit = 16
    /// How often something may repeat; more than a path has bytes.
    private static let countLimit = 4_096

    private let key: String
    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    init(_ key: String) {
        self.key = key
        bytes = Array(key.utf8)
    }

    mutating func pattern() throws(SiltError) -> KeyPattern.Node {
        let node = try choice()
        guard position == bytes.count else { throw refuse("has an unmatched \")\"") }
        return node
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func accept(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private func refuse(_ reason: String) -> SiltError {
        SiltError(.usage, "the pattern \"\(key)\" \(reason)", advice: "give the paths of the modules instead")
    }

    private mutating func choice() throws(SiltError) -> KeyPattern.Node {
        depth += 1
        defer { depth -= 1 }
        guard depth <= KeyPatternParser.depthLimit else { throw refuse("nests its groups too deep") }
        var branches = [try sequence()]
        while accept("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func sequence() throws(SiltError) -> KeyPattern.Node {
        var nodes: [KeyPattern.Node] = []
        while let byte = next, byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")") {
            let atom = try atom()
            nodes.append(try repeated(atom))
        }
        return .sequence(nodes)
    }

    private mutating func repeated(_ node: KeyPattern.Node) throws(SiltError) -> KeyPattern.Node {
        let most = KeyPatternParser.countLimit
        var result = node
        if accept("*") {
            result = .repeated(node, from: 0, to: most)
        } else if accept("+") {
            result = .repeated(node, from: 1, to: most)
        } else if accept("?") {
            result = .repeated(node, from: 0, to: 1)
        } else if accept("{") {
            let least = try number() ?? 0
            let top = accept(",") ? try number() ?? most : least
            guard accept("}"), least <= top else { throw refuse("has a repetition that is not {m,n}") }
            result = .repeated(node, from: least, to: top)
        }
        guard case .repeated = result else { return result }
        guard !node.repeats else { throw refuse("repeats a repetition") }
        // Lazy repetitions match the same texts.
        _ = accept("?")
        return result
    }

    private mutating func number() throws(SiltError) -> Int? {
        var value: Int?
        while let byte = next, (48...57).contains(byte) {
            position += 1
            value = (value ?? 0) * 10 + Int(byte - 48)
            guard value ?? 0 <= KeyPatternParser.countLimit else { throw refuse("repeats something too often") }
        }
        return value
    }

    private mutating func atom() throws(SiltError) -> KeyPattern.Node {
        guard let byte = next else { throw refuse("ends early") }
        position += 1
        switch byte {
        case UInt8(ascii: "."): return .any
        case UInt8(ascii: "^"): return .start
        case UInt8(ascii: "$"): return .end
        case UInt8(ascii: "("):
            if accept("?") {
                guard accept(":") else { throw refuse("has a group of a kind that is not supported") }
            }
            let node = try choice()
            guard accept(")") else { throw refuse("has an unterminated group") }
            return node
        case UInt8(ascii: "["): return try bracket()
        case UInt8(ascii: "\\"):
            let (set, negated) = try escape()
            return .one(of: set, negated: negated)
        case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"): throw refuse("repeats nothing")
        default: return .one(of: [byte], negated: false)
        }
    }

    private mutating func bracket() throws(SiltError) -> KeyPattern.Node {
        let negated = accept("^")
        var set: Set<UInt8> = []
        var isFirst = true
        while let byte = next, isFirst || byte != UInt8(ascii: "]") {
            position += 1
            isFirst = false
            if byte == UInt8(ascii: "\\") {
                let (escaped, isNegated) = try escape()
                guard !isNegated else { throw refuse("has a negated class in a class") }
                set.formUnion(escaped)
            } else if next == UInt8(ascii: "-"), position + 1 < bytes.count, bytes[position + 1] != UInt8(ascii: "]") {
                let last = bytes[position + 1]
                guard byte <= last else { throw refuse("has a range that ends before it begins") }
                set.formUnion(byte...last)
                position += 2
            } else {
                set.insert(byte)
            }
        }
        guard accept("]") else { throw refuse("has an unterminated class") }
        return .one(of: set, negated: negated)
    }

    private mutating func escape() throws(SiltError) -> (Set<UInt8>, negated: Bool) {
        guard let byte = next else { throw refuse("ends with a backslash") }
        position += 1
        let digits = Set(UInt8(ascii: "0")...UInt8(ascii: "9"))
        let letters = Set(UInt8(ascii: "a")...UInt8(ascii: "z")).union(UInt8(ascii: "A")...UInt8(ascii: "Z"))
        switch byte {
        case UInt8(ascii: "d"): return (digits, false)
        case UInt8(ascii: "D"): return (digits, true)
        case UInt8(ascii: "w"): return (digits.union(letters).union([UInt8(ascii: "_")]), false)
        case UInt8(ascii: "W"): return (digits.union(letters).union([UInt8(ascii: "_")]), true)
        case UInt8(ascii: "s"): return ([32, 9, 10, 11, 12, 13], false)
        case UInt8(ascii: "S"): return ([32, 9, 10, 11, 12, 13], true)
        default:
            guard !digits.contains(byte), !letters.contains(byte) else {
                throw refuse("has an escape that is not supported")
            }
            return ([byte], false)
        }
    }
}
