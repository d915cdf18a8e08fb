internal import SiltFormat
internal import SiltReports

/// Numbers and columns for people.
enum Text {
    /// `12,345,678`.
    static func grouped(_ value: Int) -> String { Figures.grouped(value) }

    /// `value` with `places` decimals.
    static func decimal(_ value: Double, _ places: Int) -> String { Figures.decimal(value, places) }

    /// `1.23e-05` for small numbers, decimals for others: four significant digits.
    static func short(_ value: Double) -> String { Figures.short(value) }

    /// How far a result is from the fine-tuned checkpoint.
    static func receipt(_ receipt: Receipt) -> String {
        "relative L2 error \(short(receipt.l2)), largest \(short(receipt.max)), cosine \(short(receipt.cosine)), "
            + "\(decimal(100 * receipt.changed, 1)) % of values differ"
    }

    /// A bar of 20 characters, filled by `share`, 0 to 1.
    static func bar(_ share: Double) -> String {
        let width = 20
        let filled = Int(share * Double(width))
        return String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
    }

    /// `seconds` as minutes and seconds, like 1:05.
    static func clock(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        return "\(whole / 60):" + (whole % 60 < 10 ? "0" : "") + "\(whole % 60)"
    }

    /// `text` with what could move a terminal's cursor, or turn its writing round, escaped.
    ///
    /// Names and other texts come from files.
    static func printable(_ text: String) -> String { Escape.printable(text) }

    /// `text` filled up with spaces on the right.
    static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// `text` filled up with spaces on the left.
    static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    /// `text`, its beginning replaced by `…` if it has more than `width` characters: names differ at their ends.
    static func shortened(_ text: String, to width: Int) -> String { Escape.shortened(text, to: width) }
}
