package import TensorTypes

/// Files by their relative paths: a checkpoint as it is stored, on this system, in memory, or rebuilt as it is read.
package protocol FileTree: Sendable {
    /// What messages call it: a path as it was given, or a name.
    var path: String { get }
    /// Whether it is one file or a directory.
    var form: TreeForm { get }
    /// Relative paths of all files, ascending by their bytes; of a single file its name.
    var files: [String] { get }

    /// Opens one of `files`.
    ///
    /// - Throws: `inputMissing` if it is not there; `io`.
    func open(_ relative: String) throws(SiltError) -> any ByteSource

    /// What messages call a file of the tree, whether or not it is there.
    func path(of relative: String) -> String
}

/// What a tree is.
package enum TreeForm: Sendable, Hashable {
    /// One file.
    case file
    /// A directory.
    case directory
}

extension FileTree {
    package func path(of relative: String) -> String {
        form == .file ? path : DirectoryListing.join(path, relative)
    }

    /// Whether the tree has this file.
    package func has(_ relative: String) -> Bool { files.contains { ByteName($0) == ByteName(relative) } }
}
