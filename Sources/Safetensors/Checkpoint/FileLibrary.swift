internal import ByteSources
internal import Synchronization
internal import TensorTypes

/// The safetensors files of a tree, each opened once.
final class FileLibrary: Sendable {
    private let files = Mutex<[ByteName: SafetensorsFile]>([:])

    /// The file `relative` of `tree`.
    ///
    /// Throws like `SafetensorsFile.init`.
    func open(_ relative: String, in tree: any FileTree) throws(SiltError) -> SafetensorsFile {
        let key = ByteName(relative)
        if let file = files.withLock({ $0[key] }) { return file }
        // Not under the lock: reading a header takes its time. Of two that open it at once, the first one's stays.
        let file = try SafetensorsFile(tree.open(relative))
        return files.withLock { files in
            if let first = files[key] { return first }
            files[key] = file
            return file
        }
    }
}
