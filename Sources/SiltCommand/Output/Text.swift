/// Numbers and columns for people.
enum Text {
    /// `12,345,678`.
    static func grouped(_ value: Int) -> String {
        var digits = String(value.magnitude)
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        groups.insert(digits, at: 0)
        return (value < 0 ? "-" : "") + groups.joined(separator: ",")
    }

    /// `value` with `places` decimals.
    static func decimal(_ value: Double, _ places: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "-" }
        var factor = 1.0
        for _ in 0..<places { factor *= 10 }
        let scaled = Int((abs(value) * factor).rounded())
        let whole = scaled / Int(factor)
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard places > 0 else { return sign + String(whole) }
        let rest = String(scaled % Int(factor))
        return "\(sign)\(whole).\(String(repeating: "0", count: places - rest.count))\(rest)"
    }

    /// `text` with what could move a terminal's cursor, or turn its writing round, escaped.
    ///
    /// Names and other texts come from files.
    static func printable(_ text: String) -> String {
        func isPlain(_ scalar: Unicode.Scalar) -> Bool {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: false
            default: true
            }
        }
        guard !text.unicodeScalars.allSatisfy(isPlain) else { return text }
        return text.unicodeScalars.reduce(into: "") { $0 += isPlain($1) ? String($1) : $1.escaped(asASCII: true) }
    }

    /// `text` filled up with spaces on the right.
    static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// `text` filled up with spaces on the left.
    static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    /// `text`, its beginning replaced by `…` if it has more than `width` characters: names differ at their ends.
    static func shortened(_ text: String, to width: Int) -> String {
        guard text.count > width, width > 1 else { return String(text.prefix(max(0, width))) }
        return "…" + text.suffix(width - 1)
    }
}
