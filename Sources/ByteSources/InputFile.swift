package import TensorTypes

/// A file that is read by position.
///
/// Threads may share it: no read moves another's.
///
/// Reads go through `pread`, not a mapping, because a file that shrinks under a mapping kills the process.
package final class InputFile: Sendable {
    /// The path it was opened at.
    package let path: String
    /// Bytes of the file when it was opened.
    package let size: Int
    private let descriptor: Int32

    /// Opens the regular file at `path`; symbolic links are followed.
    ///
    /// Throws `inputMissing` if it is absent, unreadable or not a regular file, and `io` if the system fails otherwise.
    package init(_ path: String) throws(SiltError) {
        let descriptor: Int32
        do {
            descriptor = try System.open(path, .read)
        } catch {
            throw InputFile.openingError(error, path)
        }
        let status: FileStatus
        do {
            status = try System.status(of: descriptor)
        } catch {
            System.close(descriptor)
            throw error.error(.io, "cannot open", file: path)
        }
        guard status.kind == .file else {
            System.close(descriptor)
            let what = status.kind == .directory ? "a directory" : "a device, pipe or socket"
            throw SiltError(.inputMissing, "expected a regular file, found \(what)", file: path)
        }
        self.path = path
        self.descriptor = descriptor
        size = status.size
    }

    deinit { System.close(descriptor) }

    /// Fills `buffer` with the bytes from `offset` on.
    ///
    /// Throws `changed` if the file ends before that (the caller has checked the size: it shrank), and `io` if the
    /// device fails.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(SiltError) {
        var done = 0
        while done < buffer.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count: Int
            do {
                count = try unsafe System.read(descriptor, into: rest, at: offset + done)
            } catch {
                throw SiltError(
                    .io, "cannot read: \(error.text)", file: path, range: InputFile.range(offset + done, rest.count),
                    cause: Errno(rawValue: error.number))
            }
            guard count > 0 else {
                throw SiltError(
                    .changed, "the file ends early: it had \(size) bytes when it was opened", file: path,
                    range: InputFile.range(offset + done, rest.count), advice: "something else is writing to this file")
            }
            done += count
        }
    }

    /// The bytes `range` of the file.
    ///
    /// Throws like `read(into:at:)`; a range beyond `size` is refused before memory is taken for it.
    package func bytes(_ range: Range<Int>) throws(SiltError) -> [UInt8] {
        guard range.lowerBound >= 0, range.upperBound <= size else {
            throw SiltError(
                .changed, "the file has only \(size) bytes", file: path,
                range: InputFile.range(range.lowerBound, range.count))
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

    private static func range(_ offset: Int, _ count: Int) -> Range<UInt64> {
        let start = UInt64(max(0, offset))
        return start..<start + UInt64(max(0, count))
    }

    private static func openingError(_ error: SystemError, _ path: String) -> SiltError {
        if System.denied.contains(error.number) {
            let advice = "check the permissions of the file and its directories"
            return error.error(.inputMissing, "cannot read", file: path, advice: advice)
        }
        return error.error(error.isMissing ? .inputMissing : .io, "cannot open", file: path)
    }
}
