internal import SystemCalls
internal import TensorTypes

/// Where an output is to appear: an open directory and a name in it.
///
/// Everything is done relative to the open directory, so that it stays the same one whatever is renamed meanwhile.
final class OutputPlace: Sendable {
    /// The path as the user gave it.
    let target: String
    /// The directory's path; empty or ending in `/`.
    let parent: String
    /// The last component.
    let name: String
    /// The open directory.
    let descriptor: Int32

    /// Throws `cannotCreate` if `target` has no proper last component or its directory cannot be opened.
    init(_ target: String) throws(SiltError) {
        var bytes = Array(target.utf8)
        while bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        let start = bytes.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
        name = String(decoding: bytes[start...], as: UTF8.self)
        parent = String(decoding: bytes[..<start], as: UTF8.self)
        self.target = target
        guard !["", ".", ".."].contains(name) else {
            throw SiltError(.cannotCreate, "this is not the name of an output", file: target)
        }
        do {
            descriptor = try System.open(parent.isEmpty ? "." : parent, .directory)
        } catch {
            throw error.creationError("cannot open the directory of the output", file: target)
        }
    }

    deinit { System.close(descriptor) }

    /// The path of another name in the directory.
    func sibling(_ name: String) -> String { parent + name }

    /// What has the name; nil if it is free.
    ///
    /// Symbolic links are not followed.
    func status(of name: String) throws(SiltError) -> FileStatus? {
        do {
            return try System.status(of: name, in: descriptor, followingLinks: false)
        } catch {
            guard error.number == System.absent else {
                throw error.creationError("cannot examine the name", file: sibling(name))
            }
            return nil
        }
    }

    /// Whether the output's name is taken.
    func isTaken() throws(SystemError) -> Bool {
        do {
            _ = try System.status(of: name, in: descriptor, followingLinks: false)
            return true
        } catch {
            guard error.number == System.absent else { throw error }
            return false
        }
    }

    /// Throws `cannotCreate` unless an output of form `form` may take the name.
    func check(_ form: StagedOutput.Form, _ replacing: StagedOutput.Replacement) throws(SiltError) {
        guard let status = try status(of: name) else { return }
        if case .never = replacing { throw taken() }
        if status.isFile || status.isLink { return }
        guard status.isDirectory else {
            throw SiltError(.cannotCreate, "a device, pipe or socket has this name", file: target)
        }
        guard form == .directory, case .directory(let expected) = replacing else {
            throw SiltError(.cannotCreate, "a directory has this name", file: target)
        }
        let foreign: String?
        do {
            foreign = try TreeWork.foreignFile(in: name, of: descriptor, expected: expected)
        } catch {
            throw error.error(.cannotCreate, "cannot read the directory to be replaced", file: target)
        }
        guard let foreign else { return }
        throw SiltError(
            .cannotCreate, "the directory has a file that does not belong to the output: \"\(foreign)\"",
            file: target,
            advice: "move that file away or choose another name")
    }

    /// The error for a name that is taken and may not be replaced.
    func taken() -> SiltError {
        SiltError(
            .cannotCreate, "something has this name already", file: target,
            advice: "use \(option: .replaceExisting) to replace it")
    }

    /// Removes the temporaries of this output whose owner is gone: those whose lock is free.
    ///
    /// What cannot be removed stays; it harms nobody.
    func removeStale() {
        guard let names = try? System.names(in: descriptor) else { return }
        for bytes in names where PartialName.isPartial(bytes, of: name) {
            try? removeIfStale(String(decoding: bytes, as: UTF8.self))
        }
    }

    private func removeIfStale(_ name: String) throws(SystemError) {
        let status = try System.status(of: name, in: descriptor, followingLinks: false)
        guard status.isFile || status.isDirectory else { return }
        // The lock of a file on NFS needs a descriptor that may write.
        let open = try System.open(name, in: descriptor, status.isFile ? .update : .directoryItself)
        defer { System.close(open) }
        guard try System.lock(open), try isName(name, of: open) else { return }
        try TreeWork.remove(name, in: descriptor)
    }

    /// Whether `name` still stands for the open file.
    func isName(_ name: String, of open: Int32) throws(SystemError) -> Bool {
        do {
            let status = try System.status(of: name, in: descriptor, followingLinks: false)
            return try FileIdentity(status) == FileIdentity(System.status(of: open))
        } catch {
            guard error.number == System.absent else { throw error }
            return false
        }
    }
}
