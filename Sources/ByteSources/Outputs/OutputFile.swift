internal import SystemCalls
internal import Synchronization
package import TensorTypes

/// A new file that is written by position.
///
/// Threads may share it: no write moves another's.
package final class OutputFile: Sendable {
    /// The path it was created at, for messages.
    package let path: String
    /// -1 once closed, so that a late write fails instead of hitting another file.
    private let descriptor: Atomic<Int32>

    /// Creates the file at `path`, which must be free (a symbolic link counts as taken), with the usual permissions
    /// (0666 less the umask).
    ///
    /// Throws `cannotCreate`, or `io` if space or the device is to blame.
    package convenience init(creating path: String) throws(SiltError) {
        try self.init(creating: path, in: nil, path: path)
    }

    /// Creates `name` below the open directory `directory`; `path` is for messages.
    init(creating name: String, in directory: Int32?, path: String) throws(SiltError) {
        do {
            descriptor = Atomic(try System.open(name, in: directory, .create))
        } catch {
            throw error.creationError("cannot create the file", file: path)
        }
        self.path = path
    }

    deinit { close() }

    /// Writes all of `bytes` at `offset`; what lies between the end of the file and `offset` becomes zero.
    ///
    /// Throws `io`.
    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(SiltError) {
        var done = 0
        while done < bytes.count {
            do throws(SystemError) {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
                let count = try unsafe System.write(descriptor.load(ordering: .relaxed), rest, at: offset + done)
                // A device that takes nothing and says nothing would hold this loop for ever.
                guard count > 0 else { throw SystemError(number: System.deviceError) }
                done += count
            } catch {
                throw error.error(.io, "cannot write", file: path)
            }
        }
    }

    /// Writes all of `bytes` at `offset`.
    ///
    /// Throws `io`.
    package func write(_ bytes: [UInt8], at offset: Int) throws(SiltError) {
        let result = unsafe bytes.withUnsafeBytes { buffer in
            Result { () throws(SiltError) in try unsafe write(buffer, at: offset) }
        }
        try result.get()
    }

    /// Cuts or extends the file to `bytes`; new bytes are zero.
    ///
    /// Throws `io`.
    package func setSize(_ bytes: Int) throws(SiltError) {
        do {
            try System.setSize(descriptor.load(ordering: .relaxed), bytes)
        } catch {
            throw error.error(.io, "cannot set the size to \(bytes) bytes", file: path)
        }
    }

    /// Waits until what was written has reached the device.
    ///
    /// Throws `io`.
    package func synchronize() throws(SiltError) {
        do {
            try System.synchronize(descriptor.load(ordering: .relaxed))
        } catch {
            throw error.error(.io, "cannot write", file: path)
        }
    }

    /// Closes the file; harmless if it is closed.
    ///
    /// No other thread may be writing. Call `synchronize` first to learn of late failures.
    package func close() {
        let descriptor = descriptor.exchange(-1, ordering: .acquiringAndReleasing)
        if descriptor >= 0 { System.close(descriptor) }
    }

    /// Removes the file at `path`; nothing there is fine.
    ///
    /// Throws `io`.
    package static func remove(_ path: String) throws(SiltError) {
        let place = try OutputPlace(path)
        do {
            try System.unlink(place.name, in: place.descriptor)
        } catch {
            guard error.number == System.absent else { throw error.error(.io, "cannot remove", file: path) }
        }
    }

    /// A second descriptor of the open file, which shares its locks; the caller closes it.
    func duplicateDescriptor() throws(SystemError) -> Int32 {
        try System.duplicate(descriptor.load(ordering: .relaxed))
    }
}
