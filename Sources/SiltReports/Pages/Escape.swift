/// Texts from files, made harmless: for pages and terminals alike.
package enum Escape {
    /// `text` with what could move a cursor, be invisible or turn its writing round shown as `\u{…}`.
    package static func printable(_ text: String) -> String {
        guard !text.unicodeScalars.allSatisfy(isPlain) else { return text }
        return text.unicodeScalars.reduce(into: "") { $0 += isPlain($1) ? String($1) : $1.escaped(asASCII: true) }
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }

    /// As `printable`, for the content of an element or a quoted attribute.
    static func html(_ text: String) -> String {
        var result = ""
        for scalar in printable(text).unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default:
                // Browsers replace these, and a page that is not Unicode is no page.
                result +=
                    scalar.properties.isNoncharacterCodePoint
                    ? scalar.escaped(asASCII: true) : String(scalar)
            }
        }
        return result
    }

    /// `text`, its beginning replaced by `…` if it has more than `width` characters: names differ at their ends.
    package static func shortened(_ text: String, to width: Int) -> String {
        guard text.count > width, width > 1 else { return String(text.prefix(max(0, width))) }
        return "…" + text.suffix(width - 1)
    }
}
