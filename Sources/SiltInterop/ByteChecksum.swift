internal import TensorTypes

extension WeightSync.Checksum {
    /// The checksum of `bytes`, as its text.
    package func text(of bytes: [UInt8]) -> String {
        switch self {
        case .xxh3: return Digest128(of: bytes).hex
        case .adler32:
            let value = adler(bytes)
            return Hex.string((0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * $0)) })
        }
    }

    /// Adler-32 (RFC 1950, section 8.2).
    private func adler(_ bytes: [UInt8]) -> UInt32 {
        var (a, b): (UInt32, UInt32) = (1, 0)
        unsafe bytes.withUnsafeBytes { buffer in
            // 5,552 bytes are what the sums take before they overflow.
            for start in stride(from: 0, to: buffer.count, by: 5_552) {
                for index in start..<min(buffer.count, start + 5_552) {
                    a &+= UInt32(unsafe buffer[index])
                    b &+= a
                }
                a %= 65_521
                b %= 65_521
            }
        }
        return b << 16 | a
    }
}
