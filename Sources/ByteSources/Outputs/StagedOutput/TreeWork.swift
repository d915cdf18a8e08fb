internal import SystemCalls
internal import TensorTypes

/// Work on a whole directory tree.
///
/// Symbolic links are never followed, so that no link leads out of the tree.
enum TreeWork {
    /// Removes what `name` stands for, with all that lies below it; nothing there is fine.
    static func remove(_ name: String, in directory: Int32) throws(SystemError) {
        do {
            guard try System.status(of: name, in: directory, followingLinks: false).isDirectory else {
                return try System.unlink(name, in: directory)
            }
            try removeContents(of: name, in: directory)
        } catch {
            guard error.number == System.absent else { throw error }
        }
    }

    private static func removeContents(of name: String, in directory: Int32) throws(SystemError) {
        let descriptor = try System.open(name, in: directory, .directoryItself)
        defer { System.close(descriptor) }
        // Again while other threads of an interrupted program still create files.
        for _ in 0..<8 {
            for child in try System.names(in: descriptor) {
                try remove(String(decoding: child, as: UTF8.self), in: descriptor)
            }
            do {
                return try System.removeDirectory(name, in: directory)
            } catch {
                guard error.number == System.notEmpty || error.number == System.exists else { throw error }
            }
        }
        throw SystemError(number: System.notEmpty)
    }

    /// Waits until all files and directories below the open directory `descriptor`, and itself, have reached the device.
    static func synchronize(_ descriptor: Int32) throws(SystemError) {
        for name in try System.names(in: descriptor) {
            let name = String(decoding: name, as: UTF8.self)
            let isDirectory = try System.status(of: name, in: descriptor, followingLinks: false).isDirectory
            let child = try System.open(name, in: descriptor, isDirectory ? .directoryItself : .read)
            defer { System.close(child) }
            if isDirectory { try synchronize(child) } else { try System.synchronize(child) }
        }
        try System.synchronize(descriptor)
    }

    /// The first relative path below the directory `name` that is no directory and not among `expected`; nil if there
    /// is none.
    ///
    /// A name that is not UTF-8 is never expected.
    static func foreignFile(
        in name: String, of directory: Int32, expected: Set<ByteName>, prefix: String = ""
    ) throws(SystemError) -> String? {
        let descriptor = try System.open(name, in: directory, .directoryItself)
        defer { System.close(descriptor) }
        for bytes in try System.names(in: descriptor) {
            guard let child = String(validating: bytes, as: UTF8.self) else {
                return prefix + String(decoding: bytes, as: UTF8.self)
            }
            let path = prefix + child
            if try System.status(of: child, in: descriptor, followingLinks: false).isDirectory {
                let foreign = try foreignFile(in: child, of: descriptor, expected: expected, prefix: path + "/")
                if let foreign { return foreign }
            } else if !expected.contains(ByteName(path)) {
                return path
            }
        }
        return nil
    }
}
