/// An option of the library that a message is about, by the name that the library has for it.
///
/// Messages hold it as a token, and each front end puts in what its users type: `--force` on the command line, `replace=True` in
/// Python. Where nobody does, the name itself stands.
package struct OptionName: Sendable, Hashable {
    /// The library's name, like `replaceExisting`.
    package let name: String

    package init(_ name: String) { self.name = name }

    /// Begin and end of a token in a text: no text of a person or file has these private characters.
    private static let (opening, closing) = (Character("\u{F0000}"), Character("\u{F0001}"))

    /// The option as a token in a text.
    package var token: String { "\(OptionName.opening)\(name)\(OptionName.closing)" }

    /// `text` with what `word` says in place of each option.
    package static func rendered(_ text: String, _ word: (OptionName) -> String) -> String {
        var result = ""
        var rest = text[...]
        while let start = rest.firstIndex(of: opening), let end = rest[start...].firstIndex(of: closing) {
            result += rest[..<start] + word(OptionName(String(rest[rest.index(after: start)..<end])))
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }
}

extension DefaultStringInterpolation {
    /// Puts in an option of the library.
    package mutating func appendInterpolation(option name: String) {
        appendInterpolation(OptionName(name).token)
    }
}
