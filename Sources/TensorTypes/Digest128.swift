internal import CXXHash

/// An XXH3-128 digest with seed 0.
///
/// Its text is the canonical, big-endian form that `xxhsum -H2` prints.
public struct Digest128: Sendable, Hashable {
    /// The upper and the lower half.
    package let high: UInt64, low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The digest of `bytes`.
    package init(of bytes: UnsafeRawBufferPointer) {
        let hash = unsafe silt_xxh3_128(bytes.baseAddress, bytes.count)
        self.init(high: hash.high64, low: hash.low64)
    }

    /// The digest of `bytes`.
    package init(of bytes: [UInt8]) {
        self = unsafe bytes.withUnsafeBytes { unsafe Digest128(of: $0) }
    }

    /// The tree digest of Formats/Silt.md 4.4 over the digests of the pieces, in order.
    package init(pieces: [Digest128]) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16 * pieces.count)
        for piece in pieces { piece.append(to: &bytes) }
        self.init(of: bytes)
    }

    /// Reads 32 lower-case hexadecimal digits.
    package init?(hex: String) {
        guard hex.utf8.count == 32, let bytes = Hex.bytes(hex) else { return nil }
        high = bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) }
        low = bytes[8...].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The canonical 16 bytes.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16)
        append(to: &bytes)
        return bytes
    }

    private func append(to bytes: inout [UInt8]) {
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: high >> shift)) }
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: low >> shift)) }
    }

    /// 32 lower-case hexadecimal digits.
    public var hex: String { Hex.string(bytes) }
}

/// The XXH3-64 checksum (seed 0) of a chunk's stored bytes.
package enum Checksum64 {
    package static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        unsafe silt_xxh3_64(bytes.baseAddress, bytes.count)
    }

    package static func of(_ bytes: [UInt8]) -> UInt64 {
        unsafe bytes.withUnsafeBytes { unsafe Checksum64.of($0) }
    }
}

/// Lower-case hexadecimal text.
package enum Hex {
    package static func string(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes that `text` spells; nil for an odd count or anything but `0-9a-f`.
    package static func bytes(_ text: String) -> [UInt8]? {
        var nibbles: [UInt8] = []
        for character in text.utf8 {
            switch character {
            case 48...57: nibbles.append(character - 48)
            case 97...102: nibbles.append(character - 87)
            default: return nil
            }
        }
        guard nibbles.count % 2 == 0 else { return nil }
        return stride(from: 0, to: nibbles.count, by: 2).map { nibbles[$0] << 4 | nibbles[$0 + 1] }
    }
}
