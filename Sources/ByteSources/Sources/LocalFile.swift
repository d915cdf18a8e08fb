internal import SystemCalls
package import TensorTypes

/// A file of this system.
///
/// Reads go through `pread`, not a mapping, because a file that shrinks under a mapping kills the process.
package final class LocalFile: ByteSource {
    /// The path it was opened at.
    package let path: String
    package let size: Int
    package let version: SourceVersion
    private let descriptor: Int32

    /// Opens the regular file at `path`; symbolic links are followed.
    ///
    /// Throws `inputMissing` if it is absent, unreadable or not a regular file, and `io` if the system fails otherwise.
    package init(_ path: String) throws(SiltError) {
        let descriptor: Int32
        do {
            descriptor = try System.open(path, .read)
        } catch {
            throw LocalFile.openingError(error, path)
        }
        let status: FileStatus
        do {
            status = try System.status(of: descriptor)
        } catch {
            System.close(descriptor)
            throw error.error(.io, "cannot open", file: path)
        }
        guard status.isFile else {
            System.close(descriptor)
            let what = status.isDirectory ? "a directory" : "a device, pipe or socket"
            throw SiltError(.inputMissing, "expected a regular file, found \(what)", file: path)
        }
        self.path = path
        self.descriptor = descriptor
        size = status.size
        version = status.version
    }

    deinit { System.close(descriptor) }

    package func currentVersion() throws(SiltError) -> SourceVersion {
        do {
            return try System.status(of: descriptor).version
        } catch {
            throw error.error(.io, "cannot look at", file: path)
        }
    }

    package func read(upTo buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(SiltError) -> Int {
        do {
            return try unsafe System.read(descriptor, into: buffer, at: offset)
        } catch {
            throw SiltError(
                .io, "cannot read: \(error.text)", file: path, range: SourceRange.of(offset, buffer.count),
                cause: Errno(rawValue: error.number))
        }
    }

    /// Copies `range` to `place` of another file within the kernel, as far as one call does.
    ///
    /// Returns how many bytes, 0 at the end of the content; nil where the system cannot.
    func copy(_ range: Range<Int>, to file: Int32, at place: Int) throws(SystemError) -> Int? {
        do {
            return try System.copy(descriptor, at: range.lowerBound, to: file, at: place, count: range.count)
        } catch {
            guard System.unsupported.contains(error.number) || error.number == System.otherDevice else { throw error }
            return nil
        }
    }

    private static func openingError(_ error: SystemError, _ path: String) -> SiltError {
        if System.denied.contains(error.number) {
            let advice = "check the permissions of the file and its directories"
            return error.error(.inputMissing, "cannot read", file: path, advice: advice)
        }
        return error.error(error.isMissing ? .inputMissing : .io, "cannot open", file: path)
    }
}

extension FileStatus {
    /// Which content a file has, as far as its status tells.
    fileprivate var version: SourceVersion {
        SourceVersion(words: [
            device, inode, UInt64(truncatingIfNeeded: size), UInt64(truncatingIfNeeded: changeSeconds),
            UInt64(truncatingIfNeeded: changeNanoseconds),
        ])
    }
}
