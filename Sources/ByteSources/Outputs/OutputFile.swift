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

    /// Copies `range` of `source` to `offset`: within the kernel where both are files of this system, and without copying where the
    /// file system can share blocks, so from 0 to 0 is best.
    ///
    /// - Parameter check: called before each piece; what it throws ends the work.
    /// - Throws: `io`, and what reading throws.
    package func copy(
        _ range: Range<Int>, of source: any ByteSource, to offset: Int, check: () throws(SiltError) -> Void
    ) throws(SiltError) {
        let local = source as? LocalFile
        let buffer = ByteBuffer()
        var isKernels = true
        var done = 0
        while done < range.count {
            try check()
            let start = range.lowerBound + done
            if isKernels, let local {
                let piece = start..<start + min(OutputFile.kernelPiece, range.count - done)
                if let count = try copy(piece, of: local, to: offset + done), count > 0 {
                    done += count
                    continue
                }
                // The system cannot, or the file ends early, which reading tells.
                isKernels = false
            }
            let count = min(OutputFile.piece, range.count - done)
            buffer.reserve(count)
            let bytes = unsafe buffer.prefix(count)
            try unsafe source.read(into: bytes, at: start)
            try unsafe write(UnsafeRawBufferPointer(bytes), at: offset + done)
            done += count
        }
    }

    private func copy(_ range: Range<Int>, of source: LocalFile, to offset: Int) throws(SiltError) -> Int? {
        do {
            return try source.copy(range, to: descriptor.load(ordering: .relaxed), at: offset)
        } catch {
            throw error.error(.io, "cannot copy from \(source.path)", file: path)
        }
    }

    /// Bytes that go through memory at a time, and within the kernel: enough for its speed, few enough to be interrupted.
    private static let (piece, kernelPiece) = (4 << 20, 128 << 20)

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
