internal import ByteSources
internal import TensorTypes

/// Weights of a directory that are not in safetensors files.
enum ForeignWeights {
    /// Endings of files that hold weights in other formats.
    private static let endings = [
        ".bin", ".pt", ".pth", ".ckpt", ".gguf", ".ggml", ".h5", ".keras", ".msgpack", ".onnx", ".npz", ".pkl",
        ".distcp", ".tflite", ".nemo", ".safetensors.incomplete", ".safetensors.part", ".safetensors.aria2",
    ]
    /// Files with such an ending that hold none.
    private static let others = ["training_args.bin", "optimizer.bin", "optimizer.pt", "scheduler.pt", "scheduler.bin"]

    /// Why a directory without a safetensors file is no checkpoint: what it has instead, and the way out.
    static func refusal(_ tree: any FileTree) -> SiltError {
        let weights = tree.files.filter { path in
            endings.contains(where: path.lowercased().hasSuffix)
                && !others.contains(path.split(separator: "/").last.map(String.init) ?? path)
        }
        let message = "the directory has no safetensors file"
        guard let first = weights.first else {
            return SiltError(
                .inputMissing, message, file: tree.path,
                advice: "is this the directory of the checkpoint, and was it downloaded whole?")
        }
        let count = weights.count == 1 ? first : "\(first) and \(weights.count - 1) more like it"
        guard let source = try? tree.open(first), let found = ForeignContent(of: source) else {
            return SiltError(
                .inputMissing, "\(message), but \(count)", file: tree.path,
                advice: "weights of other formats (.bin, .pt, .h5) must be converted to safetensors first")
        }
        return SiltError(
            .inputMissing, "\(message), but \(count): \(found.what)", file: tree.path, advice: found.advice)
    }
}
