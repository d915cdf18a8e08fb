internal import Logging
package import Safetensors
internal import SiltFormat
package import TensorTypes
package import Workers

/// Deltas on deltas: each Silt file's result is the base of the next.
///
/// No result in between is ever written: the base of a link is the link before it, rebuilt cell by cell as it is read. Of a link
/// before the last, only what the next one refers to is read, and with it verified.
package struct Chain: Sendable {
    /// Whether an existing output may be replaced.
    package var replaceExisting: Bool
    /// Threads, log, progress and cancellation.
    package var context: WorkContext

    /// A chain.
    package init(_ context: WorkContext, replaceExisting: Bool = false) {
        self.replaceExisting = replaceExisting
        self.context = context
    }

    /// Rebuilds what the last of `files` holds, in one pass over all of them.
    ///
    /// - Parameters:
    ///   - base: the base of the first file.
    ///   - files: Silt files, each of whose results is the next one's base; at least one.
    ///   - output: where the last result appears, whole or not at all.
    /// - Throws: as `Unpacker`; `baseContent` if a link does not fit the one before, before anything is written.
    package func unpack(base: String, files: [String], to output: String) throws(SiltError) -> Unpacker.Report {
        let link = try Chain.last(base: try Checkpoint.asBase(base), files: files, output: output)
        context.log.debug("\(files.count) links")
        return try Unpacker(context, replaceExisting: replaceExisting)
            .unpack(link.file.container, over: link.base, to: output)
    }

    /// The last link of a chain, open over the result of those before it.
    package struct Link: Sendable {
        package let file: SiltFile
        package let base: Checkpoint
    }

    /// Opens every link once.
    ///
    /// - Throws: `usage` without files; `cannotCreate` if `output` is one of the inputs; `baseMissing` or `baseContent` if a link does
    ///   not fit the one before.
    package static func last(base: Checkpoint, files: [String], output: String) throws(SiltError) -> Link {
        try OutputGuard.check(output, files: files, checkpoints: [base])
        var before: Link?
        for path in files {
            let file = try SiltFile(at: path)
            guard let link = before else {
                before = Link(file: file, base: base)
                continue
            }
            try check(file, after: link.file)
            before = Link(file: file, base: try link.file.over(link.base).checkpoint())
        }
        guard let before else { throw SiltError(.usage, "no Silt file was given") }
        return before
    }

    /// Every tensor that a link takes from its base must be what the link before gives.
    private static func check(_ file: SiltFile, after before: SiltFile) throws(SiltError) {
        let advice = "give the files in the order in which they were packed"
        var results: [ByteName: TensorRecord] = [:]
        var inFiles: [ByteName: [ByteName: TensorRecord]] = [:]
        for result in before.container.manifest.files {
            guard case .safetensors(_, let tensors) = result.content else { continue }
            for tensor in tensors {
                if results[ByteName(tensor.name)] == nil { results[ByteName(tensor.name)] = tensor }
                inFiles[ByteName(result.path), default: [:]][ByteName(tensor.name)] = tensor
            }
        }
        for base in file.container.manifest.tensors.flatMap({ $0.base?.baseTensors ?? [] }) {
            let result = base.file.map { inFiles[ByteName($0)]?[ByteName(base.name)] } ?? results[ByteName(base.name)]
            guard let result else {
                throw SiltError(
                    .baseMissing, "\(before.path), the link before it, does not contain this tensor", file: file.path,
                    tensor: base.name, advice: advice)
            }
            guard result.digest.map({ $0 == base.digest && result.info == base.info }) ?? true else {
                throw SiltError(
                    .baseContent,
                    "\(before.path), the link before it, has a different tensor from the one that the file needs",
                    file: file.path, tensor: base.name, advice: advice)
            }
        }
    }
}
