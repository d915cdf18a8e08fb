#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Calls that work on names: below an open directory where one is given, else from the working directory.
extension System {
    /// How `rename` treats a name that is taken.
    package enum RenameMode: UInt32 {
        /// Replaces it.
        case replace = 0
        /// Fails with `EEXIST`.
        case keep
        /// Exchanges the two.
        case exchange
    }

    package static func status(of descriptor: Int32) throws(SystemError) -> FileStatus {
        var status = stat()
        try retry { unsafe fstat(descriptor, &status) }
        return FileStatus(status)
    }

    package static func status(
        of name: String, in directory: Int32? = nil, followingLinks: Bool
    ) throws(SystemError) -> FileStatus {
        try check(name)
        var status = stat()
        try retry {
            unsafe fstatat(directory ?? AT_FDCWD, name, &status, followingLinks ? 0 : AT_SYMLINK_NOFOLLOW)
        }
        return FileStatus(status)
    }

    package static func makeDirectory(_ name: String, in directory: Int32) throws(SystemError) {
        try check(name)
        try retry { unsafe mkdirat(directory, name, 0o777) }
    }

    package static func makeDirectoryUnlessThere(_ name: String, in directory: Int32) throws(SystemError) {
        do {
            try makeDirectory(name, in: directory)
        } catch {
            guard error.number == exists else { throw error }
        }
    }

    /// Gives a file a second name, which must be free.
    package static func link(_ name: String, to new: String, in directory: Int32) throws(SystemError) {
        try check(name)
        try check(new)
        try retry { unsafe linkat(directory, name, directory, new, 0) }
    }

    /// Removes the name of anything but a directory.
    package static func unlink(_ name: String, in directory: Int32) throws(SystemError) {
        try check(name)
        try retry { unsafe unlinkat(directory, name, 0) }
    }

    /// Removes an empty directory.
    package static func removeDirectory(_ name: String, in directory: Int32) throws(SystemError) {
        try check(name)
        try retry { unsafe unlinkat(directory, name, AT_REMOVEDIR) }
    }

    /// Renames within one directory, in one step.
    ///
    /// Throws one of `unsupported` where the system cannot do `mode`.
    package static func rename(
        _ name: String, to new: String, in directory: Int32, _ mode: RenameMode = .replace
    ) throws(SystemError) {
        try check(name)
        try check(new)
        if mode == .replace {
            try retry { unsafe renameat(directory, name, directory, new) }
            return
        }
        #if canImport(Darwin)
            let flags = UInt32(mode == .keep ? RENAME_EXCL : RENAME_SWAP)
            try retry { unsafe renameatx_np(directory, name, directory, new, flags) }
        #else
            guard let renameat2 = unsafe renameat2 else { throw SystemError(number: ENOSYS) }
            // The raw values are Linux's RENAME_NOREPLACE and RENAME_EXCHANGE.
            try retry { unsafe renameat2(directory, name, directory, new, mode.rawValue) }
        #endif
    }

    #if !canImport(Darwin)
        private typealias RenameAt2 =
            @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32

        private static let renameat2: RenameAt2? = {
            guard let symbol = unsafe hidden("renameat2") else { return nil }
            return unsafe unsafeBitCast(symbol, to: RenameAt2.self)
        }()
    #endif

    /// The names in a directory but `.` and `..`, as bytes (a name need not be UTF-8), ascending.
    package static func names(in directory: Int32) throws(SystemError) -> [[UInt8]] {
        // A new open file, because reading moves its position; the stream closes it.
        let descriptor = try open(".", in: directory, .directory)
        guard let stream = unsafe fdopendir(descriptor) else {
            let number = errno
            close(descriptor)
            throw SystemError(number: number)
        }
        defer { unsafe closedir(stream) }
        var names: [[UInt8]] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                guard errno == 0 else { throw SystemError(number: errno) }
                break
            }
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { unsafe Array($0.prefix { $0 != 0 }) }
            if name != Array(".".utf8), name != Array("..".utf8) { names.append(name) }
        }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }
}
