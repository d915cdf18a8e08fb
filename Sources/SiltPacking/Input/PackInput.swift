internal import ByteSources
package import Logging
package import Safetensors
internal import SiltReading
package import TensorTypes

/// What is to be packed: every file of the fine-tuned checkpoint, and the base tensor that predicts each of its tensors.
package struct PackInput: Sendable {
    /// A cell of a base tensor.
    struct BaseCell: Sendable {
        let base: BaseTensor
        let cell: Int
    }

    /// Whether the fine-tuned checkpoint is one file or a directory.
    let form: Checkpoint.Form
    let bases: [BaseTensor]
    package private(set) var tensors: [PackTensor] = []
    private(set) var others: [OtherFile] = []
    private(set) var files: [PackFile] = []
    /// How many segments the tensors have.
    private(set) var segments = 0
    /// Cells of the base that no tensor reads whole: they are read for their digests alone.
    private(set) var looseBaseCells: [BaseCell] = []

    /// Bytes of all files.
    package var bytes: Int { files.reduce(0) { $0 + $1.input.size } }
    /// Values of all tensors.
    package var parameters: Int { tensors.reduce(0) { $0 + $1.info.parameters } }

    /// Looks at every file of `result`; nothing but headers is read.
    ///
    /// - Parameter name: the name that a single file is recorded under; nil: its own.
    package init(
        base: Checkpoint, result: Checkpoint, name: String?, _ log: Logger
    ) throws(SiltError) {
        form = result.form
        bases = base.tensors.enumerated().map { BaseTensor(index: $0.offset, file: nil, tensor: $0.element) }
        let matcher = BaseMatcher(base)
        let byName = Dictionary(bases.map { (ByteName($0.tensor.name), $0) }, uniquingKeysWith: { first, _ in first })
        let safetensors = Set(result.safetensorsFiles.map { ByteName($0) })
        let areDirectories = base.form == .directory && result.form == .directory
        let baseFiles = Set(areDirectories ? base.files.map { ByteName($0) } : [])
        var hashed = [Set<Int>?](repeating: nil, count: bases.count)
        for path in result.files {
            guard safetensors.contains(ByteName(path)), let file = try PackInput.open(path, of: result, log) else {
                let candidate = baseFiles.contains(ByteName(path)) ? try base.source(path) : nil
                let input = try result.source(path)
                files.append(PackFile(path: path, input: input, content: .other(others.count)))
                others.append(OtherFile(index: others.count, path: path, input: input, base: candidate))
                continue
            }
            let first = tensors.count
            for entry in file.header.entries {
                let match = matcher.match(entry.name, entry.info).flatMap { byName[ByteName($0.name)] }
                PackInput.note(match, entry.name, log)
                let base = match.map { PackBase($0, predicting: entry.info) }
                // The first tensor that a base tensor predicts hashes it.
                let new = Set((base?.sources ?? []).map(\.index).filter { hashed[$0] == nil })
                let tensor = PackTensor(
                    tensors.count, entry, in: file, base: base, hashing: new, firstSegment: segments)
                for index in new { hashed[index] = [] }
                for found in tensor.hashedBaseCells { hashed[found.base.index]?.insert(found.cell) }
                segments += tensor.segments.count
                tensors.append(tensor)
            }
            files.append(
                PackFile(
                    path: PackInput.storedPath(path, of: result, name), input: file.input,
                    content: .safetensors(file.header, first..<tensors.count)))
        }
        for (base, cells) in zip(bases, hashed) {
            looseBaseCells += (0..<base.grid.count).filter { cells?.contains($0) != true }
                .map { BaseCell(base: base, cell: $0) }
        }
    }

    private static func note(_ match: BaseTensor?, _ name: String, _ log: Logger) {
        if let match, match.tensor.name != name {
            log.debug("\(name): predicted from the base's \(match.tensor.name)")
        } else if match == nil {
            log.debug("\(name): not in the base, stored whole")
        }
    }

    /// The path that the file records.
    ///
    /// A directory's are checked as they are listed; that of a single file is a proposal, and an odd name gives way.
    private static func storedPath(_ path: String, of result: Checkpoint, _ name: String?) -> String {
        if result.form == .file, let name { return name }
        guard result.form == .file, (try? RelativePath.check(path)) == nil else { return path }
        return "model.safetensors"
    }

    /// Opens a safetensors file of the result.
    ///
    /// One that breaks the rules, and is not the model, is kept as it is.
    private static func open(
        _ path: String, of result: Checkpoint, _ log: Logger
    ) throws(SiltError) -> SafetensorsFile? {
        do throws(SiltError) {
            return try result.open(path)
        } catch  where error.code == .header || error.code == .truncated {
            log.notice("\(path) is not valid safetensors and is kept byte for byte: \(error)")
            return nil
        }
    }
}
