/// Reads little-endian integers from bytes that may be hostile: every read is checked and says nil at the end.
package struct ByteCursor: Sendable {
    package let bytes: [UInt8]
    package private(set) var position: Int

    package init(_ bytes: [UInt8], from position: Int = 0) {
        self.bytes = bytes
        self.position = min(position, bytes.count)
    }

    package var remaining: Int { bytes.count - position }

    package mutating func integer<T: FixedWidthInteger>(_: T.Type) -> T? {
        let size = T.bitWidth / 8
        guard remaining >= size else { return nil }
        var value: T = 0
        for offset in (0..<size).reversed() {
            value = value << (size == 1 ? 0 : 8) | T(truncatingIfNeeded: bytes[position + offset])
        }
        position += size
        return value
    }

    package mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, remaining >= count else { return nil }
        defer { position += count }
        return bytes[position..<position + count]
    }
}

extension [UInt8] {
    /// Appends the little-endian bytes of `value`.
    package mutating func appendLittleEndian(_ value: some FixedWidthInteger) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) { append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
}
