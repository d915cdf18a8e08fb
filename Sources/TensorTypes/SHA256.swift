internal import CCrypto

/// A running SHA-256 (FIPS 180-4): what hubs and people know whole files by.
///
/// One thread at a time.
package final class SHA256: @unchecked Sendable {
    private var state = silt_sha256()

    /// The hash of nothing.
    package init() { unsafe silt_sha256_begin(&state) }

    /// Adds bytes.
    package func add(_ bytes: UnsafeRawBufferPointer) { unsafe silt_sha256_add(&state, bytes.baseAddress, bytes.count) }

    /// Adds bytes.
    package func add(_ bytes: [UInt8]) { unsafe bytes.withUnsafeBytes { unsafe add($0) } }

    /// The hash of what was added, as 64 lower-case hexadecimal digits; nothing may be added after that.
    package func finish() -> String {
        var hash = [UInt8](repeating: 0, count: 32)
        unsafe silt_sha256_finish(&state, &hash)
        return Hex.string(hash)
    }

    /// The hash of bytes in memory.
    package static func of(_ bytes: [UInt8]) -> String {
        let hash = SHA256()
        hash.add(bytes)
        return hash.finish()
    }
}
