internal import TensorTypes

/// Numbers for people.
package enum Figures {
    /// `12,345,678`.
    package static func grouped(_ value: Int) -> String {
        var digits = String(value.magnitude)
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        groups.insert(digits, at: 0)
        return (value < 0 ? "-" : "") + groups.joined(separator: ",")
    }

    /// The same of a mean, rounded; `-` for what is not a number.
    static func grouped(_ value: Double) -> String { abs(value) < 1e18 ? grouped(Int(value.rounded())) : "-" }

    /// `value` with `places` decimals; `-` for what is not a number.
    package static func decimal(_ value: Double, _ places: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "-" }
        var factor = 1.0
        for _ in 0..<places { factor *= 10 }
        guard abs(value) * factor < 9e18 else { return "-" }
        let scaled = Int((abs(value) * factor).rounded())
        let whole = scaled / Int(factor)
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard places > 0 else { return sign + String(whole) }
        let rest = String(scaled % Int(factor))
        return "\(sign)\(whole).\(String(repeating: "0", count: places - rest.count))\(rest)"
    }

    /// `1.23e-5` for small and large numbers, decimals for others: `digits` significant digits.
    package static func short(_ value: Double, digits: Int = 4) -> String {
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
        guard (-3..<6).contains(exponent) else { return "\(sign)\(decimal(mantissa, min(2, digits - 1)))e\(exponent)" }
        return decimal(value, max(0, digits - 1 - exponent))
    }

    /// As `short`, without zeros at the end.
    static func plain(_ value: Double) -> String {
        let text = short(value)
        guard text.contains("."), !text.contains("e") else { return text }
        return trimming(text)
    }

    /// `999 bytes`, `35.2 KB`, `10.7 MB`: a kilobyte is 1,000 bytes.
    static func bytes(_ value: Double) -> String {
        guard value >= 1_000 else { return value == 1 ? "1 byte" : "\(decimal(value, 0)) bytes" }
        var (amount, unit) = (value / 1_000, 0)
        let units = ["KB", "MB", "GB", "TB", "PB", "EB"]
        while amount >= 999.5, unit + 1 < units.count {
            amount /= 1_000
            unit += 1
        }
        return "\(decimal(amount, amount < 9.995 ? 2 : amount < 99.95 ? 1 : 0)) \(units[unit])"
    }

    /// Round sizes on an axis: `20 KB`.
    static func shortBytes(_ value: Double) -> String {
        let text = bytes(value)
        guard let space = text.firstIndex(of: " "), text[..<space].contains(".") else { return text }
        return trimming(String(text[..<space])) + text[space...]
    }

    /// How many times smaller: three digits or so.
    static func ratio(_ value: Double) -> String {
        guard value < 999.5 else { return grouped(value) }
        return decimal(value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0)
    }

    /// `12 %`, with decimals near the ends.
    static func percent(_ share: Double) -> String {
        guard share.isFinite else { return "-" }
        let value = 100 * share
        guard value != 0, value != 100 else { return "\(decimal(value, 0)) %" }
        let distance = min(abs(value), abs(100 - value))
        if distance < 0.005 { return value < 50 ? "< 0.01 %" : "> 99.99 %" }
        return "\(decimal(value, distance < 0.1 ? 2 : 1)) %"
    }

    /// A number of an SVG: two decimals at most.
    static func coordinate(_ value: Double) -> String {
        let text = decimal(value, 2)
        guard text != "-" else { return "0" }
        return trimming(text)
    }

    private static func trimming(_ text: String) -> String {
        var text = text[...]
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text.isEmpty || text == "-" ? "0" : String(text)
    }

    /// `value things`, or `1 thing`.
    static func counted(_ value: Int, _ thing: String) -> String {
        value == 1 ? "1 \(thing)" : "\(grouped(value)) \(thing)s"
    }

    /// The decimal logarithm of a positive number, to 1e-9.
    static func log10(_ value: Double) -> Double { Elementary.log2(value) * 0.301_029_995_663_981_2 }

    /// 10 to a whole number, exact where a Double can be.
    static func power(_ exponent: Int) -> Double { Double("1e\(exponent)") ?? (exponent < 0 ? 0 : .infinity) }
}
