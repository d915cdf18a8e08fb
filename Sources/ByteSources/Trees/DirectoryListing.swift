internal import SystemCalls
package import TensorTypes

/// What lies below a directory, as checkpoints see it.
package struct DirectoryListing {
    /// Directories at the top that belong to tools, not to the checkpoint: git's and the Hugging Face downloader's.
    package static let skipped: Set<String> = [".git", ".cache"]

    /// The kind of what `path` leads to; symbolic links are followed.
    package static func kind(of path: String) -> FileKind {
        do {
            let status = try System.status(of: path, followingLinks: true)
            return status.isFile ? .file : status.isDirectory ? .directory : .other
        } catch {
            return error.isMissing ? .missing : .other
        }
    }

    /// The relative paths of all regular files below `root`, ascending by their UTF-8 bytes.
    ///
    /// Symbolic links to files count as files (snapshots in the Hugging Face cache consist of them). Empty directories
    /// leave no trace. Throws `inputMissing` if `root` is no directory, or a link in it leads nowhere; `path` for a link
    /// to a directory, a device, pipe or socket, or a name outside Formats/Silt.md 4.5; `io` if the system fails.
    ///
    /// With `skipsOddities`, what would be an error is left out: a base may have what Silt does not need.
    package static func files(below root: String, skipsOddities: Bool = false) throws(SiltError) -> [String] {
        guard kind(of: root) == .directory else {
            let isMissing = kind(of: root) == .missing
            throw SiltError(.inputMissing, isMissing ? "there is no such directory" : "not a directory", file: root)
        }
        var files: [String] = []
        var directories = [""]
        while let directory = directories.popLast() {
            for name in try names(in: join(root, directory)) {
                let path = directory.isEmpty ? name : directory + "/" + name
                if directory.isEmpty, skipped.contains(name), kind(of: join(root, path)) == .directory { continue }
                do throws(SiltError) {
                    try RelativePath.check(path)
                    if try isDirectory(join(root, path)) { directories.append(path) } else { files.append(path) }
                } catch  where !skipsOddities {
                    throw error.at(file: root)
                } catch {
                    continue
                }
            }
        }
        return files.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// `path` below `root`; `root` itself for the empty path.
    package static func join(_ root: String, _ path: String) -> String {
        path.isEmpty ? root : root.hasSuffix("/") ? root + path : root + "/" + path
    }

    /// The names of what is in a directory, in no order.
    ///
    /// Throws `inputMissing` or `io` if it cannot be listed; `path` for a name that is not UTF-8.
    package static func names(in directory: String) throws(SiltError) -> [String] {
        let names: [[UInt8]]
        do {
            let descriptor = try System.open(directory, .directory)
            defer { System.close(descriptor) }
            names = try System.names(in: descriptor)
        } catch {
            let code: SiltError.Code = System.denied.contains(error.number) ? .inputMissing : .io
            throw error.error(code, "cannot list the directory", file: directory)
        }
        var texts: [String] = []
        for name in names {
            guard let text = String(validating: name, as: UTF8.self) else {
                let shown = String(decoding: name, as: UTF8.self)
                throw SiltError(.path, "the name \"\(shown)\" is not UTF-8", file: directory)
            }
            texts.append(text)
        }
        return texts
    }

    /// False for a regular file and a link to one; throws for what is neither file nor directory.
    private static func isDirectory(_ path: String) throws(SiltError) -> Bool {
        let itself = try Self.status(of: path, followingLinks: false)
        let status = itself.isLink ? try Self.status(of: path, followingLinks: true) : itself
        if status.isFile { return false }
        guard status.isDirectory else {
            throw SiltError(.path, "a device, pipe or socket cannot be part of a checkpoint", file: path)
        }
        guard !itself.isLink else {
            throw SiltError(
                .path, "a symbolic link to a directory cannot be part of a checkpoint", file: path,
                advice: "replace the link with the directory itself")
        }
        return true
    }

    private static func status(of path: String, followingLinks: Bool) throws(SiltError) -> FileStatus {
        do {
            return try System.status(of: path, followingLinks: followingLinks)
        } catch {
            if followingLinks, error.isMissing {
                throw SiltError(.inputMissing, "a dangling symbolic link", file: path)
            }
            throw error.error(.io, "cannot examine", file: path)
        }
    }
}
