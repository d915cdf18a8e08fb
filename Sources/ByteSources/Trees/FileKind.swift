/// What stands behind a path once symbolic links are followed.
package enum FileKind: Sendable, Hashable {
    /// A regular file.
    case file
    /// A directory.
    case directory
    /// Nothing, or a symbolic link to nothing.
    case missing
    /// A device, pipe or socket, or something that this process may not look at.
    case other
}
