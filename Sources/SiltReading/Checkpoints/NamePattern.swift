package import TensorTypes

/// A regular expression of names, or all names.
package struct NamePattern {
    private let regex: Regex<AnyRegexOutput>?

    /// Throws `usage` if `pattern` is no regular expression.
    package init(_ pattern: String?) throws(SiltError) {
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
    package func matches(_ name: String) -> Bool { regex.map { name.contains($0) } ?? true }
}
