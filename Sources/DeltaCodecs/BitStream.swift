/// Writes bit fields, lowest bit first (Formats/Silt.md, section 2).
package struct BitWriter: Sendable {
    package private(set) var bytes: [UInt8] = []
    private var pending: UInt64 = 0
    private var filled = 0

    package init() {}

    /// Appends the low `count` bits of `value`; `count` is at most 32.
    package mutating func write(_ value: UInt32, bits count: Int) {
        pending |= UInt64(value) << UInt64(filled)
        filled += count
        while filled >= 8 {
            bytes.append(UInt8(truncatingIfNeeded: pending))
            pending >>= 8
            filled -= 8
        }
    }

    /// The bytes so far, the last one filled up with zeros.
    package consuming func finished() -> [UInt8] {
        if filled > 0 { bytes.append(UInt8(truncatingIfNeeded: pending)) }
        return bytes
    }
}

/// Reads bit fields, lowest bit first; nil at the end.
package struct BitReader: Sendable {
    private let bytes: ArraySlice<UInt8>
    private var position = 0

    package init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    package mutating func read(_ count: Int) -> UInt32? {
        guard count <= 8 * bytes.count - position else { return nil }
        var value: UInt32 = 0
        for bit in 0..<count {
            let byte = bytes[bytes.startIndex + position >> 3]
            value |= UInt32(byte >> UInt8(position & 7) & 1) << UInt32(bit)
            position += 1
        }
        return value
    }

    /// Whether every byte is used and the bits that fill up the last one are 0.
    package var isAtEnd: Bool {
        guard (position + 7) / 8 == bytes.count else { return false }
        guard position % 8 != 0, let last = bytes.last else { return true }
        return last >> UInt8(position % 8) == 0
    }
}

/// Little-endian base 128 (Formats/Silt.md, section 2).
package enum LEB128 {
    package static func append(_ value: Int, to bytes: inout [UInt8]) {
        var rest = UInt32(value)
        while rest >= 128 {
            bytes.append(UInt8(rest & 127) | 128)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// Reads a value from `bytes` at `position`; nil if it is cut short, not below 2^32 or longer than it must be.
    package static func read(_ bytes: UnsafeRawBufferPointer, at position: inout Int) -> Int? {
        var value: UInt64 = 0
        for index in 0..<5 {
            guard position < bytes.count else { return nil }
            let byte = unsafe bytes[position]
            position += 1
            value |= UInt64(byte & 127) << UInt64(7 * index)
            if byte < 128 {
                guard value <= UInt32.max, byte != 0 || index == 0 else { return nil }
                return Int(value)
            }
        }
        return nil
    }
}
