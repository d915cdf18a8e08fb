internal import SystemCalls
internal import TensorTypes

/// A new, locked file or directory beside an output's name.
final class Temporary: Sendable {
    /// The name in the output's directory.
    let name: String
    /// The open file or directory that holds the lock.
    let descriptor: Int32
    /// The file, for form `file`.
    let file: OutputFile?

    /// Makes it.
    ///
    /// On file systems that know no locks it stays unlocked; nobody can take it for stale there either.
    init(at place: OutputPlace, _ form: StagedOutput.Form) throws(SiltError) {
        // Between the making and the lock, another process may take it for stale and remove it: then try again.
        for _ in 0..<100 {
            let name = PartialName.make(for: place.name)
            let (descriptor, file) = try Temporary.make(name, at: place, form)
            guard Temporary.lock(descriptor, name, at: place) else {
                System.close(descriptor)
                try? TreeWork.remove(name, in: place.descriptor)
                continue
            }
            self.name = name
            self.descriptor = descriptor
            self.file = file
            return
        }
        throw SiltError(.io, "another process keeps removing the temporary of this output", file: place.target)
    }

    deinit { System.close(descriptor) }

    private static func make(
        _ name: String, at place: OutputPlace, _ form: StagedOutput.Form
    ) throws(SiltError) -> (descriptor: Int32, file: OutputFile?) {
        let file =
            form == .file ? try OutputFile(creating: name, in: place.descriptor, path: place.sibling(name)) : nil
        do throws(SystemError) {
            if let file { return (try file.duplicateDescriptor(), file) }
            try System.makeDirectory(name, in: place.descriptor)
            return (try System.open(name, in: place.descriptor, .directoryItself), nil)
        } catch {
            try? TreeWork.remove(name, in: place.descriptor)
            throw error.creationError("cannot create the temporary", file: place.sibling(name))
        }
    }

    /// False if another process has come first.
    private static func lock(_ descriptor: Int32, _ name: String, at place: OutputPlace) -> Bool {
        do {
            return try System.lock(descriptor) && place.isName(name, of: descriptor)
        } catch {
            return true
        }
    }
}
