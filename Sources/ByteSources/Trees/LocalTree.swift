package import TensorTypes

/// A file or directory of this system.
package struct LocalTree: FileTree {
    package let path: String
    package let form: TreeForm
    package let files: [String]

    /// Lists what lies at `path`; what is no directory is a file that `open` may not find.
    ///
    /// - Parameter skipsOddities: whether what a checkpoint cannot have is left out instead of refused.
    /// - Throws: as `DirectoryListing.files`.
    package init(_ path: String, skipsOddities: Bool = false) throws(SiltError) {
        self.path = path
        if DirectoryListing.kind(of: path) == .directory {
            form = .directory
            files = try DirectoryListing.files(below: path, skipsOddities: skipsOddities)
        } else {
            form = .file
            files = [path.split(separator: "/").last.map(String.init) ?? path]
        }
    }

    package func open(_ relative: String) throws(SiltError) -> any ByteSource { try LocalFile(path(of: relative)) }
}
