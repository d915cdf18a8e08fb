package import TensorTypes

/// Bytes that are read by position: a file, memory, a file that is rebuilt as it is read, or something far away.
///
/// Threads may share it: no read moves another's. Whoever conforms says how to read a little; whole ranges, arrays and hashes follow
/// from that.
package protocol ByteSource: Sendable {
    /// What messages call it: a path as it was given, or an address.
    var path: String { get }
    /// Bytes, as they were when the source was opened.
    var size: Int { get }
    /// Which content was opened.
    var version: SourceVersion { get }

    /// Which content there is now; what differs from `version` has changed since.
    ///
    /// - Throws: `io` if that cannot be told.
    func currentVersion() throws(SiltError) -> SourceVersion

    /// Fills as much of `buffer` as one read gives, with the bytes from `offset` on.
    ///
    /// - Returns: how many bytes, at least 1; 0 at the end of the content or for an empty buffer.
    /// - Throws: `io` if the device fails; what else the source can fail with.
    func read(upTo buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(SiltError) -> Int

    /// Whether reading is so slow to begin that many ranges had better be announced with `prepare`.
    var isFar: Bool { get }

    /// Announces ranges that will be read soon, ascending: a source that is far fetches them in few reads.
    func prepare(_ ranges: [Range<Int>]) throws(SiltError)
}

extension ByteSource {
    package var isFar: Bool { false }

    package func prepare(_ ranges: [Range<Int>]) throws(SiltError) {}

    package func currentVersion() throws(SiltError) -> SourceVersion { version }

    /// Fills `buffer` with the bytes from `offset` on.
    ///
    /// - Throws: `changed` if the content ends before that (the caller has checked the size: it shrank), and what reading throws.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(SiltError) {
        var done = 0
        while done < buffer.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = try unsafe read(upTo: rest, at: offset + done)
            guard count > 0 else {
                throw SiltError(
                    .changed, "the file ends early: it had \(size) bytes when it was opened", file: path,
                    range: SourceRange.of(offset + done, rest.count), advice: "something else is writing to this file")
            }
            done += count
        }
    }

    /// The bytes `range` of the content.
    ///
    /// - Throws: as `read(into:at:)`; a range beyond `size` is refused before memory is taken for it.
    package func bytes(_ range: Range<Int>) throws(SiltError) -> [UInt8] {
        guard range.lowerBound >= 0, range.upperBound <= size else {
            throw SiltError(
                .changed, "the file has only \(size) bytes", file: path,
                range: SourceRange.of(range.lowerBound, range.count))
        }
        var failure: SiltError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            let bytes = UnsafeMutableRawBufferPointer(buffer)
            do throws(SiltError) {
                let wanted = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[..<range.count])
                try unsafe read(into: wanted, at: range.lowerBound)
                count = range.count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// The SHA-256 of everything, as 64 hexadecimal digits.
    ///
    /// - Parameters:
    ///   - buffer: takes 1 MiB at a time.
    ///   - check: called before each piece; what it throws ends the work.
    package func sha256(
        _ buffer: ByteBuffer = ByteBuffer(), check: () throws(SiltError) -> Void
    ) throws(SiltError) -> String {
        let hash = SHA256()
        let piece = 1 << 20
        buffer.reserve(min(piece, size))
        for offset in stride(from: 0, to: size, by: piece) {
            try check()
            let bytes = unsafe buffer.prefix(min(piece, size - offset))
            try unsafe read(into: bytes, at: offset)
            unsafe hash.add(UnsafeRawBufferPointer(bytes))
        }
        return hash.finish()
    }

    /// Throws `changed` if the content is no longer the one that was opened.
    package func checkUnchanged() throws(SiltError) {
        guard try currentVersion() != version else { return }
        throw SiltError(
            .changed, "the file is no longer the one that was opened", file: path,
            advice: "something else has written to this file: run the command again when nothing does")
    }
}

/// Places in a source, for messages.
enum SourceRange {
    /// `count` bytes from `offset` on.
    static func of(_ offset: Int, _ count: Int) -> Range<UInt64> {
        let start = UInt64(max(0, offset))
        return start..<start + UInt64(max(0, count))
    }
}
