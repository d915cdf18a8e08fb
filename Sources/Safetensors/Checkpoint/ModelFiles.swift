internal import ByteSources
internal import TensorTypes

/// Which files of a checkpoint hold the model (Formats/Silt.md 4.4), and what an index says about them.
///
/// As transformers chooses: `model.safetensors` comes before an index. Where an index and the files disagree and no data are missing,
/// that is noted, not refused.
struct ModelFiles {
    /// Relative paths, ascending by their bytes.
    let files: [String]
    /// What a user may want to know of the choice: a sentence each.
    private(set) var notes: [String] = []
    private let index: ShardIndex?
    private let indexPath: String
    /// The first file that the index names and that is absent.
    private let absent: String?

    private static let single = "model.safetensors"

    /// Chooses from the files of `tree`.
    ///
    /// Throws `inputMissing` if there is none, and what `ShardIndex.init` throws.
    init(of tree: any FileTree) throws(SiltError) {
        indexPath = tree.path(of: ShardIndex.fileName)
        let hasIndex = tree.form == .directory && tree.has(ShardIndex.fileName)
        guard tree.form == .directory, !tree.has(ModelFiles.single), hasIndex else {
            (index, absent) = (nil, nil)
            files = try tree.form == .file ? tree.files : ModelFiles.unnamed(tree)
            if hasIndex { noteSingle(tree) }
            return
        }
        let index = try ShardIndex(tree.open(ShardIndex.fileName))
        self.index = index
        let present = Set(tree.files.map { ByteName($0) })
        // What the listing leaves out, behind a linked directory, may be there even so.
        let missing = index.files.filter { !present.contains(ByteName($0)) && (try? tree.open($0)) == nil }
        absent = missing.first
        guard missing.isEmpty, !index.files.isEmpty else {
            files = ModelFiles.top(tree)
            guard !files.isEmpty else { throw ModelFiles.refuse(indexPath, absent: missing.first, tree) }
            noteTop(missing, tree)
            return
        }
        files = index.files
        noteLeftOver(tree)
        noteMark()
    }

    /// Throws `inputMissing` if a file is absent and a tensor that the index names is nowhere else; notes tensors that are not where
    /// the index says.
    ///
    /// - Parameter find: the tensor of a name in the files.
    mutating func check(_ tree: any FileTree, _ find: (String) -> Checkpoint.Tensor?) throws(SiltError) {
        guard let index else { return }
        let names = index.weightMap.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        let lost = names.filter { find($0.key) == nil }
        if let absent, let first = lost.first {
            throw ModelFiles.refuse(indexPath, absent: absent, tree, tensor: first.key)
        }
        if let first = lost.first {
            notes.append(
                "the index \(indexPath) names \(ModelFiles.counted(lost.count, "tensor")) that no file has, \"\(first.key)\" first: without them the model is what is there"
            )
        }
        guard absent == nil else { return }
        let moved = names.filter { name, file in find(name).map { $0.file.path != tree.path(of: file) } ?? false }
        if let first = moved.first {
            notes.append(
                "the index \(indexPath) names another file for \(ModelFiles.counted(moved.count, "tensor")) than has them, \"\(first.key)\" first: they are taken where they are"
            )
        }
    }

    /// The error instead of one that opening the files at the top gave, where they stand in for those that an index names.
    func explained(_ error: SiltError, _ tree: any FileTree) -> SiltError {
        guard let absent, error.code == .header else { return error }
        return ModelFiles.refuse(indexPath, absent: absent, tree)
    }

    private mutating func noteSingle(_ tree: any FileTree) {
        // Whatever the index is, nobody reads it.
        let named = (try? ShardIndex(tree.open(ShardIndex.fileName)))?.files
        guard named != [ModelFiles.single] else { return }
        notes.append(
            "\(tree.path(of: ModelFiles.single)) is taken as the model, as transformers does, and not what the index beside it names; if that is the newer one, move \(ModelFiles.single) away"
        )
    }

    private mutating func noteTop(_ missing: [String], _ tree: any FileTree) {
        let taken = files.count == 1 ? files[0] : "the \(files.count) safetensors files at the top, \(files[0]) first,"
        let verb = files.count == 1 ? "is" : "are"
        let why =
            missing.isEmpty
            ? "names no file"
            : "names \(ModelFiles.counted(missing.count, "file")) that \(missing.count == 1 ? "is" : "are") not there, \(missing[0]) first"
        notes.append("the index \(indexPath) \(why): \(taken) \(verb) taken as the model")
        noteMark()
    }

    /// Shards beside those that the index names, of the same model by their names.
    private mutating func noteLeftOver(_ tree: any FileTree) {
        let models = Set(files.compactMap(ModelFiles.shardedModel))
        let left = ModelFiles.top(tree).filter { file in
            !files.contains(file) && ModelFiles.shardedModel(file).map(models.contains) == true
        }
        guard let first = left.first else { return }
        notes.append(
            "the index \(indexPath) names other shards than \(ModelFiles.counted(left.count, "file")) beside them, \(first) first, perhaps of an older version: what the index names is taken as the model"
        )
    }

    /// The name of the model that a file `NAME-00001-of-00003.safetensors` is a shard of; nil for other files.
    private static func shardedModel(_ file: String) -> Substring? {
        var rest = file.dropLast(".safetensors".count)
        for word in ["-of-", "-"] {
            let digits = rest.reversed().prefix { $0.isASCII && $0.isNumber }.count
            rest = rest.dropLast(digits)
            guard digits > 0, rest.hasSuffix(word) else { return nil }
            rest = rest.dropLast(word.count)
        }
        return rest
    }

    private mutating func noteMark() {
        guard index?.hasByteOrderMark == true else { return }
        notes.append(
            "the index \(indexPath) begins with a byte order mark, which other programs refuse: save it without")
    }

    private static func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

    private static func top(_ tree: any FileTree) -> [String] {
        tree.files.filter { $0.hasSuffix(".safetensors") && !$0.contains("/") }
    }

    /// The files of a directory without an index, or with one that does not count.
    private static func unnamed(_ tree: any FileTree) throws(SiltError) -> [String] {
        guard tree.files.contains(where: { $0.hasSuffix(".safetensors") }) else { throw ForeignWeights.refusal(tree) }
        return tree.has(single) ? [single] : top(tree)
    }

    private static func refuse(
        _ index: String, absent: String?, _ tree: any FileTree, tensor: String? = nil
    ) -> SiltError {
        guard let absent else {
            return SiltError(
                .inputMissing, "the index names no tensor, and there is no safetensors file beside it", file: index,
                advice: "download the whole checkpoint")
        }
        return SiltError(
            .inputMissing, "the file is absent, but \(index) names it", file: tree.path(of: absent), tensor: tensor,
            advice: "download the whole checkpoint: a download may have stopped before its end")
    }
}
