/// A name that is equal to another only if its bytes are.
///
/// Swift's `String` compares by canonical equivalence: a composed and a decomposed accent are one key to it, but two tensors,
/// two files and two keys of JSON to everybody else (Formats/Silt.md, section 2).
package struct ByteName: Hashable, Sendable, ExpressibleByStringLiteral {
    /// The name.
    package let string: String

    package init(_ string: String) { self.string = string }

    package init(stringLiteral string: String) { self.string = string }

    package static func == (a: ByteName, b: ByteName) -> Bool { a.string.utf8.elementsEqual(b.string.utf8) }

    package func hash(into hasher: inout Hasher) {
        for byte in string.utf8 { hasher.combine(byte) }
    }
}
