internal import Synchronization
internal import TensorTypes

/// Safetensors files by path, each opened once.
final class FileLibrary: Sendable {
    private let files = Mutex<[ByteName: SafetensorsFile]>([:])

    /// The file at `path`.
    ///
    /// Throws like `SafetensorsFile.init`.
    func open(_ path: String) throws(SiltError) -> SafetensorsFile {
        let key = ByteName(path)
        if let file = files.withLock({ $0[key] }) { return file }
        // Not under the lock: reading a header takes its time. Of two that open it at once, the first one's stays.
        let file = try SafetensorsFile(path)
        return files.withLock { files in
            if let first = files[key] { return first }
            files[key] = file
            return file
        }
    }
}
