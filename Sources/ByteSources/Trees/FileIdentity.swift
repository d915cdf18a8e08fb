internal import SystemCalls

/// Which file or directory a path stands for, whatever its spelling and the links that lead there.
package struct FileIdentity: Hashable, Sendable {
    private let device: UInt64
    private let number: UInt64

    /// Follows links; nil if nothing is there.
    package init?(_ path: String) {
        guard let status = try? System.status(of: path, followingLinks: true) else { return nil }
        self.init(status)
    }

    /// What a status is of.
    init(_ status: FileStatus) { (device, number) = (status.device, status.inode) }

    /// Whether `path`, which need not exist, lies below the directory `root`.
    package static func lies(_ path: String, below root: String) -> Bool {
        guard let root = FileIdentity(root) else { return false }
        var directory = parent(of: path)
        // Up to the root of the file system, which is its own parent.
        for _ in 0..<4_096 {
            guard let identity = FileIdentity(directory) else { return false }
            if identity == root { return true }
            let above = directory + "/.."
            guard FileIdentity(above) != identity else { return false }
            directory = above
        }
        return false
    }

    private static func parent(of path: String) -> String {
        var path = path[...]
        while path.count > 1, path.hasSuffix("/") { path = path.dropLast() }
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
