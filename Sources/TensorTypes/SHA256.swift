internal import CCrypto

/// A running SHA-256 (FIPS 180-4): what hubs and people know whole files by.
///
/// One thread at a time.
@safe package final class SHA256: @unchecked Sendable {
    private let context: OpaquePointer

    /// The hash of nothing.
    ///
    /// - Precondition: libcrypto has memory and SHA-256; a process without either can prove nothing.
    package init() {
        guard let context = unsafe silt_sha256_begin() else { preconditionFailure("libcrypto has no SHA-256") }
        unsafe self.context = unsafe context
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    /// Adds bytes.
    package func add(_ bytes: UnsafeRawBufferPointer) {
        let isAdded = unsafe silt_sha256_add(context, bytes.baseAddress, bytes.count)
        precondition(isAdded != 0, "libcrypto refuses bytes")
    }

    /// Adds bytes.
    package func add(_ bytes: [UInt8]) { unsafe bytes.withUnsafeBytes { unsafe add($0) } }

    /// The hash of what was added, as 64 lower-case hexadecimal digits; nothing may be added after that.
    package func finish() -> String {
        var hash = [UInt8](repeating: 0, count: 32)
        let isFinished = unsafe silt_sha256_finish(context, &hash)
        precondition(isFinished != 0, "libcrypto refuses to finish")
        return Hex.string(hash)
    }

    /// The hash of bytes in memory.
    package static func of(_ bytes: [UInt8]) -> String {
        let hash = SHA256()
        hash.add(bytes)
        return hash.finish()
    }
}
