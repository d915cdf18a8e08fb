#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// The system calls of files and processes, each with its failure as a thrown `SystemError` and without interruptions
/// (`EINTR`).
///
/// Every pointer of `ByteSources` and `Processes` that goes to C goes through this module. Texts with a zero byte are refused as
/// `EINVAL`: C would cut them there and open another file.
package enum System {
    package static let noSpace = ENOSPC
    package static let quota = EDQUOT
    package static let tooLarge = EFBIG
    package static let exists = EEXIST
    package static let absent = ENOENT
    package static let notEmpty = ENOTEMPTY
    package static let deviceError = EIO
    package static let otherDevice = EXDEV
    /// The numbers that say that nothing bears a name.
    package static let missing: Set<Int32> = [ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG]
    /// The numbers that say that the reader lacks a right.
    package static let denied: Set<Int32> = [EACCES, EPERM]
    /// The numbers that are no fault of the name of an output.
    package static let deviceFailures: Set<Int32> = [ENOSPC, EDQUOT, EFBIG, EIO, EMFILE, ENFILE]
    /// The numbers with which a file system says that it does not know an operation.
    package static let unsupported: Set<Int32> = [ENOSYS, EINVAL, EOPNOTSUPP, ENOTSUP, EPERM, ENOTTY, EMLINK]

    /// What the C library calls the error `number`.
    package static func text(of number: Int32) -> String {
        guard let text = unsafe strerror(number) else { return "error \(number)" }
        return unsafe String(cString: text)
    }

    /// The process's number.
    package static var processIdentifier: Int32 { getpid() }

    /// Runs a call that says -1 for a failure, again as long as a signal interrupts it.
    @discardableResult
    static func retry<Value: SignedInteger>(_ call: () -> Value) throws(SystemError) -> Value {
        while true {
            let value = call()
            guard value < 0 else { return value }
            let number = errno
            guard number == EINTR else { throw SystemError(number: number) }
        }
    }

    /// What `open` is asked for.
    package enum Access {
        /// An existing file, for reading. Never waits for the writer of a pipe.
        case read
        /// An existing file that is no symbolic link, for reading and writing.
        case update
        /// A new file, for reading and writing: the name must be free, and a symbolic link counts as taken.
        case create
        /// A directory; symbolic links are followed.
        case directory
        /// A directory that is no symbolic link.
        case directoryItself

        var flags: Int32 {
            let flags: Int32 =
                switch self {
                case .read: O_RDONLY | O_NONBLOCK
                case .update: O_RDWR | O_NOFOLLOW | O_NONBLOCK
                case .create: O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW
                case .directory: O_RDONLY | O_DIRECTORY
                case .directoryItself: O_RDONLY | O_DIRECTORY | O_NOFOLLOW
                }
            return flags | O_CLOEXEC
        }
    }

    /// Opens `name`, below the directory `directory` where it is relative; the caller closes the descriptor.
    package static func open(_ name: String, in directory: Int32? = nil, _ access: Access) throws(SystemError) -> Int32
    {
        try check(name)
        return try retry { unsafe openat(directory ?? AT_FDCWD, name, access.flags, 0o666) }
    }

    /// Closes a descriptor.
    ///
    /// What must be known of the data is asked of `synchronize` before.
    package static func close(_ descriptor: Int32) {
        #if canImport(Glibc)
            _ = Glibc.close(descriptor)
        #elseif canImport(Musl)
            _ = Musl.close(descriptor)
        #else
            _ = Darwin.close(descriptor)
        #endif
    }

    /// A second descriptor of the same open file: locks are shared between the two.
    package static func duplicate(_ descriptor: Int32) throws(SystemError) -> Int32 {
        try retry { fcntl(descriptor, F_DUPFD_CLOEXEC, 0) }
    }

    /// Reads up to the size of `buffer`; 0 at the end of the file.
    package static func read(
        _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: Int
    ) throws(SystemError) -> Int {
        // More than 2^31 - 1 bytes at once are an error on macOS.
        try retry { unsafe pread(descriptor, buffer.baseAddress, min(buffer.count, 1 << 30), off_t(offset)) }
    }

    /// Writes up to the size of `buffer`; says how many bytes were written.
    package static func write(_ descriptor: Int32, _ buffer: UnsafeRawBufferPointer, at offset: Int) throws(SystemError)
        -> Int
    {
        try retry { unsafe pwrite(descriptor, buffer.baseAddress, min(buffer.count, 1 << 30), off_t(offset)) }
    }

    /// Copies up to `count` bytes from one file to another within the kernel; a file system that can shares whole blocks instead
    /// (reflink).
    ///
    /// Says how many bytes; 0 at the end of the file. Fails with one of `unsupported` or `otherDevice` where it is not known.
    package static func copy(
        _ source: Int32, at offset: Int, to target: Int32, at place: Int, count: Int
    ) throws(SystemError) -> Int {
        #if canImport(Darwin)
            throw SystemError(number: ENOTSUP)
        #else
            guard let copyFileRange = unsafe copyFileRange else { throw SystemError(number: ENOSYS) }
            var (from, to) = (Int64(offset), Int64(place))
            return try retry { unsafe copyFileRange(source, &from, target, &to, min(count, 1 << 30), 0) }
        #endif
    }

    #if !canImport(Darwin)
        private typealias CopyFileRange =
            @convention(c) (
                Int32, UnsafeMutablePointer<Int64>, Int32, UnsafeMutablePointer<Int64>, Int, UInt32
            ) -> Int

        private static let copyFileRange: CopyFileRange? = {
            guard let symbol = unsafe hidden("copy_file_range") else { return nil }
            return unsafe unsafeBitCast(symbol, to: CopyFileRange.self)
        }()

        /// A function that the C module hides (it asks for `_GNU_SOURCE`); nil in C libraries that lack it.
        static func hidden(_ name: String) -> UnsafeMutableRawPointer? { unsafe dlsym(dlopen(nil, RTLD_NOW), name) }
    #endif

    /// Cuts or extends a file to `bytes`.
    package static func setSize(_ descriptor: Int32, _ bytes: Int) throws(SystemError) {
        try retry { ftruncate(descriptor, off_t(bytes)) }
    }

    /// Waits until what was written has reached the device.
    package static func synchronize(_ descriptor: Int32) throws(SystemError) {
        try retry { fsync(descriptor) }
    }

    /// Takes the exclusive lock of an open file; false if another open file has it.
    package static func lock(_ descriptor: Int32) throws(SystemError) -> Bool {
        do {
            try retry { flock(descriptor, LOCK_EX | LOCK_NB) }
            return true
        } catch {
            guard error.number == EWOULDBLOCK else { throw error }
            return false
        }
    }

    /// Refuses texts that C would cut short.
    package static func check(_ name: String) throws(SystemError) {
        if name.utf8.contains(0) { throw SystemError(number: EINVAL) }
    }
}
