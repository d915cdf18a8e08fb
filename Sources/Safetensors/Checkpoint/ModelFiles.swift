internal import ByteSources
internal import TensorTypes

/// Which files of a checkpoint hold the model (Formats/Silt.md 4.4), and what an index says about them.
struct ModelFiles {
    /// Relative paths, ascending by their bytes.
    let files: [String]
    private let index: ShardIndex?
    private let indexPath: String

    /// Chooses from the files of `tree`.
    ///
    /// Throws `inputMissing` if there is none or the index names one that is absent, and what `ShardIndex.init` throws.
    init(of tree: any FileTree) throws(SiltError) {
        indexPath = tree.path(of: ShardIndex.fileName)
        guard tree.form == .directory else {
            (files, index) = (tree.files, nil)
            return
        }
        if tree.has(ShardIndex.fileName) {
            let index = try ShardIndex(tree.open(ShardIndex.fileName))
            guard !index.weightMap.isEmpty else {
                throw SiltError(.header, "the index names no tensor", file: indexPath)
            }
            files = index.files
            self.index = index
            let present = Set(tree.files.map { ByteName($0) })
            // What the listing leaves out, behind a linked directory, may be there even so.
            for file in files where !present.contains(ByteName(file)) {
                guard (try? tree.open(file)) == nil else { continue }
                throw SiltError(
                    .inputMissing, "the file is absent, but \(indexPath) names it", file: tree.path(of: file),
                    advice: "download the whole checkpoint")
            }
            return
        }
        index = nil
        let model = "model.safetensors"
        guard tree.files.contains(where: { $0.hasSuffix(".safetensors") }) else {
            throw SiltError(
                .inputMissing, "the directory has no safetensors file", file: tree.path,
                advice: "checkpoints of .bin, .pt or other pickle files must be converted to safetensors first")
        }
        let top = tree.files.filter { $0.hasSuffix(".safetensors") && !$0.contains("/") }
        files = tree.files.contains(model) ? [model] : top
    }

    /// Throws `header` if a tensor is not in the file that the index names for it.
    func check(_ checkpoint: Checkpoint) throws(SiltError) {
        guard let index else { return }
        for (name, file) in index.weightMap.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            let path = checkpoint.path(of: file)
            if let tensor = checkpoint[name], try tensor.file === checkpoint.open(file) { continue }
            throw SiltError(
                .header, "the tensor is not in this file, but \(indexPath) says so", file: path, tensor: name)
        }
    }
}
