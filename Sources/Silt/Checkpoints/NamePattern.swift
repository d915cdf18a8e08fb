internal import TensorTypes

/// A regular expression of names, or all names.
struct NamePattern {
    private let regex: Regex<AnyRegexOutput>?

    /// Throws `usage` if `pattern` is no regular expression.
    init(_ pattern: String?) throws(SiltError) {
        guard let pattern else {
            regex = nil
            return
        }
        do {
            regex = try Regex(pattern)
        } catch {
            throw SiltError(.usage, "\"\(pattern)\" is not a regular expression: \(error)")
        }
    }

    /// Whether a part of `name` matches.
    func matches(_ name: String) -> Bool { regex.map { name.contains($0) } ?? true }
}
