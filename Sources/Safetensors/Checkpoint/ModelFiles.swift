internal import ByteSources
internal import TensorTypes

/// Which files of a checkpoint hold the model (Formats/Silt.md 4.4), and what an index says about them.
struct ModelFiles {
    /// Relative paths, ascending by their bytes.
    let files: [String]
    private let index: ShardIndex?
    private let indexPath: String

    /// Chooses from `all`, the files of the checkpoint at `path`.
    ///
    /// Throws `inputMissing` if there is none or the index names one that is absent, and what `ShardIndex.init` throws.
    init(of path: String, _ form: Checkpoint.Form, _ all: [String]) throws(SiltError) {
        indexPath = DirectoryListing.join(path, ShardIndex.fileName)
        guard form == .directory else {
            (files, index) = (all, nil)
            return
        }
        if all.contains(where: { ByteName($0) == ByteName(ShardIndex.fileName) }) {
            let index = try ShardIndex(path: indexPath)
            guard !index.weightMap.isEmpty else {
                throw SiltError(.header, "the index names no tensor", file: indexPath)
            }
            files = index.files
            self.index = index
            for file in files where DirectoryListing.kind(of: DirectoryListing.join(path, file)) != .file {
                throw SiltError(
                    .inputMissing, "the file is absent, but \(indexPath) names it",
                    file: DirectoryListing.join(path, file), advice: "download the whole checkpoint")
            }
            return
        }
        index = nil
        let model = "model.safetensors"
        guard all.contains(where: { $0.hasSuffix(".safetensors") }) else {
            throw SiltError(
                .inputMissing, "the directory has no safetensors file", file: path,
                advice: "checkpoints of .bin, .pt or other pickle files must be converted to safetensors first")
        }
        files = all.contains(model) ? [model] : all.filter { $0.hasSuffix(".safetensors") && !$0.contains("/") }
    }

    /// Throws `header` if a tensor is not in the file that the index names for it.
    func check(_ checkpoint: Checkpoint) throws(SiltError) {
        guard let index else { return }
        for (name, file) in index.weightMap.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            let path = checkpoint.path(of: file)
            guard checkpoint[name]?.file.path != path else { continue }
            throw SiltError(
                .header, "the tensor is not in this file, but \(indexPath) says so", file: path, tensor: name)
        }
    }
}
