internal import SystemCalls
internal import Synchronization
package import TensorTypes

/// An output that appears whole or not at all: written beside its target under a temporary name, then renamed.
///
/// The temporary is locked (`flock`) as long as this object lives. A temporary that nobody locks was left by a process
/// that died; the next output of the same name removes it.
package final class StagedOutput: Sendable {
    /// What appears.
    package enum Form: Sendable, Hashable {
        case file, directory
    }

    /// What may give way to the output.
    package enum Replacement: Sendable, Hashable {
        /// Nothing, not even what appears while the output is written.
        case never
        /// A file or symbolic link.
        case file
        /// As `file`; and, for an output that is a directory, a directory in which every file (counting links, devices
        /// and the like) has one of the relative paths `expected`.
        case directory(expected: Set<ByteName>)
    }

    /// The path of the temporary.
    package let path: String
    let form: Form
    let replacing: Replacement
    let place: OutputPlace
    let temporary: Temporary
    /// False: as if the system could not exchange two names, nor refuse a taken one, in one step.
    let hasAtomicRenames: Bool
    private let isFinished = Mutex(false)

    /// The temporaries of all living outputs, by path.
    private static let living = Mutex<[String: (place: OutputPlace, name: String)]>([:])

    /// Makes the temporary, after removing those of the same target that dead processes left.
    ///
    /// `hasAtomicRenames` is for tests of file systems without them.
    ///
    /// Throws `cannotCreate` if the target exists and `replacing` does not allow for it, or its directory is missing or
    /// closed to us; `io` if space or the device is to blame.
    package init(
        at target: String, form: Form, replacing: Replacement, hasAtomicRenames: Bool = true
    ) throws(SiltError) {
        let place = try OutputPlace(target)
        try place.check(form, replacing)
        place.removeStale()
        let temporary = try Temporary(at: place, form)
        path = place.sibling(temporary.name)
        self.form = form
        self.replacing = replacing
        self.place = place
        self.temporary = temporary
        self.hasAtomicRenames = hasAtomicRenames
        StagedOutput.living.withLock { $0[path] = (place, temporary.name) }
    }

    deinit { discard() }

    /// The temporary, for an output of form `file`; a programming error for a directory.
    package var file: OutputFile {
        guard let file = temporary.file else { preconditionFailure("an output that is a directory has no file") }
        return file
    }

    /// Creates the file `relative` in an output of form `directory` (else a programming error), with the directories
    /// that lead to it.
    ///
    /// Threads may call it at the same time.
    ///
    /// Throws `path` if the path breaks Formats/Silt.md 4.5, `cannotCreate` if it is taken, `io` if space or the device is
    /// to blame.
    package func create(_ relative: String) throws(SiltError) -> OutputFile {
        precondition(form == .directory, "an output that is a file has no files in it")
        try RelativePath.check(relative)
        let components = relative.split(separator: "/").map(String.init)
        var directory = temporary.descriptor
        defer { if directory != temporary.descriptor { System.close(directory) } }
        for component in components.dropLast() {
            do throws(SystemError) {
                try System.makeDirectoryUnlessThere(component, in: directory)
                let next = try System.open(component, in: directory, .directoryItself)
                if directory != temporary.descriptor { System.close(directory) }
                directory = next
            } catch {
                throw error.creationError("cannot make the directory \"\(component)\"", file: path + "/" + relative)
            }
        }
        return try OutputFile(creating: components.last ?? relative, in: directory, path: path + "/" + relative)
    }

    /// Makes the output appear under its name: all that was written reaches the device, then one rename, then the
    /// directory reaches the device.
    ///
    /// Nobody may write any more.
    ///
    /// Throws `cannotCreate` if something that may not be replaced has appeared under the name, and `io` if the system
    /// fails. After an error the temporary is gone and what the name stood for is still there, unless only the last step
    /// failed: then the output is there, but might not outlive a loss of power.
    package func commit() throws(SiltError) {
        guard claim() else {
            throw SiltError(.io, "the output was committed or discarded before", file: place.target)
        }
        // What is left under the temporary name: after an error the output, after an exchange what it replaced, after
        // a link a second name.
        defer { remove() }
        try publish()
    }

    /// Removes the temporary; harmless after `commit` or a second time.
    package func discard() {
        if claim() { remove() }
    }

    /// Removes the temporaries of all living outputs: for a program that is about to end early.
    ///
    /// Outputs whose `commit` is under way may still appear, whole.
    package static func discardAll() {
        let all = living.withLock { living in
            defer { living = [:] }
            return living
        }
        for (place, name) in all.values { try? TreeWork.remove(name, in: place.descriptor) }
    }

    /// True for the first caller only.
    private func claim() -> Bool {
        isFinished.withLock { isFinished in
            defer { isFinished = true }
            return !isFinished
        }
    }

    private func remove() {
        temporary.file?.close()
        try? TreeWork.remove(temporary.name, in: place.descriptor)
        _ = StagedOutput.living.withLock { $0.removeValue(forKey: path) }
    }
}
