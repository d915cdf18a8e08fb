internal import ByteSources
internal import Logging
package import Safetensors
internal import SiltMatching
internal import SiltReading
package import TensorTypes
package import Workers

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

    /// Looks at every file of `result`, and finds what predicts its tensors; data are read only where names do not tell.
    ///
    /// - Parameter name: the name that a single file is recorded under; nil: its own.
    package init(
        base: Checkpoint, result: Checkpoint, name: String?, _ context: WorkContext
    ) throws(SiltError) {
        form = result.form
        let areDirectories = base.form == .directory && result.form == .directory
        let baseFiles = Set(areDirectories ? base.files.map { ByteName($0) } : [])
        var opened: [(path: String, file: SafetensorsFile?)] = []
        let safetensors = Set(result.safetensorsFiles.map { ByteName($0) })
        for path in result.files {
            let isModel = safetensors.contains(ByteName(path))
            opened.append((path, isModel ? try PackInput.open(path, of: result, context.log) : nil))
        }
        let own = opened.compactMap { $0.file == nil ? nil : $0.path }
        bases = try PackInput.bases(base, beside: areDirectories ? own : [])
        let candidates = bases.map { Matcher.Candidate($0.tensor, file: $0.file) }
        let targets = opened.flatMap { (path, file) -> [Matcher.Target] in
            guard let file else { return [] }
            return file.header.entries.map {
                Matcher.Target(
                    Checkpoint.Tensor(name: $0.name, info: $0.info, file: file, range: $0.range), file: path)
            }
        }
        let matches = try Matcher(candidates, context).matches(targets)
        let twins = try Twins(context).earlier(targets, matches, candidates)
        var hashed = [Set<Int>?](repeating: nil, count: bases.count)
        for (path, file) in opened {
            guard let file else {
                let candidate = baseFiles.contains(ByteName(path)) ? try base.source(path) : nil
                let input = try result.source(path)
                files.append(PackFile(path: path, input: input, content: .other(others.count)))
                others.append(OtherFile(index: others.count, path: path, input: input, base: candidate))
                continue
            }
            let first = tensors.count
            for entry in file.header.entries {
                let match = matches[tensors.count]
                let twin = twins[tensors.count].map { tensors[$0] }
                PackInput.note(match, twin, entry.name, bases, context.log)
                let base =
                    twin == nil ? match.map { match in PackBase(match.sources.map { bases[$0] }, match.runs) } : nil
                // The first tensor that a base tensor predicts hashes it.
                let new = Set((base?.sources ?? []).map(\.index).filter { hashed[$0] == nil })
                let tensor = PackTensor(
                    tensors.count, entry, in: file, base: base, twin: twin, hashing: new, firstSegment: segments)
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
        for (base, cells) in zip(bases, hashed) where base.file == nil || cells != nil {
            looseBaseCells += (0..<base.grid.count).filter { cells?.contains($0) != true }
                .map { BaseCell(base: base, cell: $0) }
        }
    }

    /// The tensors of the base's model, then those of its other files that have the path of one of the result's.
    private static func bases(_ base: Checkpoint, beside paths: [String]) throws(SiltError) -> [BaseTensor] {
        var bases = base.tensors.enumerated().map { BaseTensor(index: $0.offset, file: nil, tensor: $0.element) }
        let model = Set(base.tensors.map { ByteName($0.file.path) })
        let others = Set(base.safetensorsFiles.map { ByteName($0) })
        for path in paths where others.contains(ByteName(path)) && !model.contains(ByteName(base.path(of: path))) {
            // One that breaks the rules predicts nothing.
            guard let file = try? base.open(path) else { continue }
            for entry in file.header.entries where entry.info.elements > 0 {
                let tensor = Checkpoint.Tensor(name: entry.name, info: entry.info, file: file, range: entry.range)
                bases.append(BaseTensor(index: bases.count, file: path, tensor: tensor))
            }
        }
        return bases
    }

    private static func note(
        _ match: Matcher.Match?, _ twin: PackTensor?, _ name: String, _ bases: [BaseTensor], _ log: Logger
    ) {
        if let twin {
            log.debug("\(name): a copy of \(twin.name)")
            return
        }
        guard let match else {
            log.debug("\(name): not in the base, stored whole")
            return
        }
        let names = match.sources.map { bases[$0].tensor.name }
        guard names != [name] else { return }
        let others = names.count > 3 ? " and \(names.count - 3) more" : ""
        log.debug(
            "\(name): predicted from the base's \(names.prefix(3).joined(separator: ", "))\(others)\(match.isByContent ? ", by content" : "")"
        )
    }

    /// Path of the file that has a tensor, as it is recorded.
    func path(of tensor: PackTensor) -> String {
        files.first { file in
            if case .safetensors(_, let tensors) = file.content { tensors.contains(tensor.index) } else { false }
        }?.path ?? ""
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
