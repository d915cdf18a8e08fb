/// A name that is equal to another only if its bytes are.
///
/// Swift's `String` compares by canonical equivalence: a composed and a decomposed accent are one key to it, but two tensors,
/// two files and two keys of JSON to everybody else (Formats/Silt.md, section 2).
package struct ByteName: Hashable, Sendable, ExpressibleByStringLiteral {
    /// The name.
    package let string: String

    package init(_ string: String) { self.string = string }

    package init(stringLiteral string: String) { self.string = string }

    package static func == (a: ByteName, b: ByteName) -> Bool {
        a.string.utf8.count == b.string.utf8.count && a.string.utf8.elementsEqual(b.string.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        // All bytes at once: a large model has tens of thousands of names.
        let isDone: Void? = unsafe string.utf8.withContiguousStorageIfAvailable {
            unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0))
        }
        if isDone == nil { unsafe Array(string.utf8).withUnsafeBytes { unsafe hasher.combine(bytes: $0) } }
    }
}
