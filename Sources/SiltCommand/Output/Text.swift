internal import Silt

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

    /// `1.23e-05` for small numbers, decimals for others: four significant digits.
    static func short(_ value: Double) -> String {
        guard value.isFinite, value != 0 else { return value == 0 ? "0" : "-" }
        var exponent = 0
        var mantissa = abs(value)
        while mantissa >= 10 {
            mantissa /= 10
            exponent += 1
        }
        while mantissa < 1 {
            mantissa *= 10
            exponent -= 1
        }
        let sign = value < 0 ? "-" : ""
        guard (-3..<6).contains(exponent) else { return "\(sign)\(decimal(mantissa, 2))e\(exponent)" }
        return decimal(value, max(0, 3 - exponent))
    }

    /// How far a result is from the fine-tuned checkpoint.
    static func distance(_ distance: VerifyReport.Distance) -> String {
        "relative L2 error \(short(distance.l2)), largest \(short(distance.max)), cosine \(short(distance.cosine)), "
            + "\(decimal(100 * distance.changed, 1)) % of values differ"
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
