internal import Logging
public import TensorTypes
public import Workers

extension SiltModel {
    /// Writes every file of the model: a file if one was packed, else a directory.
    ///
    /// It appears whole and verified, or not at all.
    ///
    /// - Parameters:
    ///   - output: where it appears; its directory must be there.
    ///   - replacing: whether an older output gives way: a directory only if it has no file that the Silt file would not write.
    ///   - threads: how many rebuild; the result does not depend on it.
    ///   - progress: told how far the work is, often, from any thread.
    /// - Throws: as `tensor`; `cannotCreate` if the output exists or cannot be made.
    public func write(
        to output: String, replacing: Bool = false, threads: Int = 2, progress: (@Sendable (Progress) -> Void)? = nil
    ) throws(SiltError) {
        var context = WorkContext(threads: threads, log: Logger(label: "silt") { _ in SwiftLogNoOpLogHandler() })
        if let progress {
            context.events = { event in
                if let event = event as? Progress { progress(event) }
            }
        }
        _ = try Unpacker(context, replaceExisting: replacing).unpack(file.container, over: base, to: output)
    }
}
