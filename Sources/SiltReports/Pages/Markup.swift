/// HTML or SVG that is well-formed as far as texts go: what is put in by interpolation is escaped, unless it is markup.
///
/// Only literals are taken as they stand, so no name from a file can become a tag.
struct Markup: ExpressibleByStringInterpolation, Sendable, Hashable {
    /// The characters.
    private(set) var text: String

    /// Markup as it is written in this program.
    init(stringLiteral value: String) { text = value }

    /// A literal with values in it.
    init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    /// All of `pieces`, a line each.
    init(_ pieces: [Markup]) { text = pieces.map(\.text).joined(separator: "\n") }

    /// Both, one after the other.
    static func + (first: Markup, second: Markup) -> Markup { Markup([first, second]) }

    /// Whether there is nothing.
    var isEmpty: Bool { text.isEmpty }

    /// What a literal with values becomes.
    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        /// An empty text with room for the literal.
        init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(2 * literalCapacity) }

        /// Adds a piece of the literal.
        mutating func appendLiteral(_ literal: String) { text += literal }

        /// Adds a text, escaped.
        mutating func appendInterpolation(_ value: String) { text += Escape.html(value) }

        /// Adds markup.
        mutating func appendInterpolation(_ value: Markup) { text += value.text }

        /// Adds several pieces of markup.
        mutating func appendInterpolation(_ values: [Markup]) { text += Markup(values).text }

        /// Adds a whole number.
        mutating func appendInterpolation(_ value: Int) { text += String(value) }

        /// Adds a coordinate: two decimals at most, so that the same page comes out on every machine.
        mutating func appendInterpolation(_ value: Double) { text += Figures.coordinate(value) }
    }
}
