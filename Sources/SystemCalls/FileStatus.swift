#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// What stands behind a name or a descriptor.
package struct FileStatus: Hashable, Sendable {
    private let format: mode_t
    /// Bytes of a file.
    package let size: Int
    /// Device and inode: equal for two names of one file.
    package let device: UInt64, inode: UInt64
    /// When the content last changed, in seconds and nanoseconds.
    package let changeSeconds: Int, changeNanoseconds: Int

    init(_ status: stat) {
        format = status.st_mode & S_IFMT
        size = Int(status.st_size)
        device = UInt64(truncatingIfNeeded: status.st_dev)
        inode = UInt64(status.st_ino)
        #if canImport(Darwin)
            (changeSeconds, changeNanoseconds) = (status.st_mtimespec.tv_sec, status.st_mtimespec.tv_nsec)
        #else
            (changeSeconds, changeNanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
        #endif
    }

    /// Whether it is a regular file.
    package var isFile: Bool { format == S_IFREG }

    /// Whether it is a directory.
    package var isDirectory: Bool { format == S_IFDIR }

    /// Whether it is a symbolic link; never where links were followed.
    package var isLink: Bool { format == S_IFLNK }
}
