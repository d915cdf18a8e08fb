internal import SystemCalls

/// Names of temporaries: `.<name>.silt-<pid>-<random>.partial`, beside the output `<name>`.
///
/// The process number is for people; whether a temporary is alive is told by its lock, since numbers come again.
enum PartialName {
    /// Bytes of the output's name that enter, so that the whole stays within the 255 that file systems allow.
    static let limit = 200
    private static let suffix = ".partial"

    /// A new name; random, so that it is free.
    static func make(for name: String) -> String { stem(name) + suffix }

    /// A new name for an old output that had to be moved aside.
    ///
    /// Not a temporary: nothing removes it unasked.
    static func makeAside(for name: String) -> String { stem(name) + ".replaced" }

    /// Whether `candidate` is the name of a temporary of the output `name`.
    static func isPartial(_ candidate: [UInt8], of name: String) -> Bool {
        let head = Array(prefix(name).utf8)
        guard candidate.starts(with: head) else { return false }
        let rest = candidate[head.count...]
        guard rest.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) else { return false }
        let numbers = rest.dropLast(suffix.utf8.count)
        let parts = numbers.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return parts.count == 2 && (1...10).contains(parts[0].count) && parts[0].allSatisfy { (48...57).contains($0) }
            && parts[1].count == 16 && parts[1].allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    private static func stem(_ name: String) -> String {
        let random = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        return prefix(name) + "\(System.processIdentifier)-" + String(repeating: "0", count: 16 - random.count) + random
    }

    private static func prefix(_ name: String) -> String {
        var short = name
        while short.utf8.count > limit { short.unicodeScalars.removeLast() }
        return "." + short + ".silt-"
    }
}
