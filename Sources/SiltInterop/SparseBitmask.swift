package import Workers
internal import Safetensors
internal import ByteSources
package import TensorTypes

/// Converts checkpoints between dense tensors and the sparse layouts of compressed-tensors (the releases up to 0.10).
///
/// Of a dense checkpoint, only the signs of zeros are lost, and only if they are not to be kept: compressed-tensors takes -0 for 0,
/// and weights that were pruned with a mask are full of them.
package struct SparseBitmask: Sendable {
    /// Whether an existing output may be replaced.
    package var replaceExisting: Bool
    /// Whether -0 is a value, so that it comes back.
    ///
    /// Takes more space where there are many.
    package var keepsNegativeZeros = false
    /// Log, progress and cancellation.
    package var context: WorkContext

    /// A converter.
    package init(_ context: WorkContext, replaceExisting: Bool = false) {
        self.context = context
        self.replaceExisting = replaceExisting
    }

    /// Writes the dense form of the sparse checkpoint `directory` as `output`.
    ///
    /// Throws `usage` if its configuration does not say that it is sparse, `header` if the parts of a tensor do not fit, and what
    /// reading and writing throw.
    package func decompress(_ directory: String, to output: String) throws(SiltError) -> ConversionReport {
        let checkpoint = try Checkpoint(at: directory)
        guard checkpoint.form == .directory else { throw SparseBitmask.notDirectory(directory) }
        let configuration = try SparsityConfiguration(of: checkpoint)
        _ = try configuration.layout()
        let (weights, parts) = try SparseWeight.all(in: checkpoint)
        let byValues = Dictionary(
            weights.map { (ByteName($0.values.name), $0) }, uniquingKeysWith: { first, _ in first })
        let rewrite = try DirectoryRewrite(
            at: output, inputs: [checkpoint], expected: checkpoint.files, replacing: replaceExisting, "converting",
            context)
        var index: [(name: String, info: TensorInfo, file: String)] = []
        let models = try checkpoint.modelFiles
        for (path, file, tensors) in models {
            let kept = tensors.filter { !parts.contains(ByteName($0.name)) }
            let dense = tensors.compactMap { byValues[ByteName($0.name)] }
            let list = kept.map { ($0.name, $0.info) } + dense.map { ($0.name, $0.info) }
            let shard = try rewrite.shard(path, list, metadata: file.header.metadata)
            for tensor in kept { try rewrite.copy(tensor, to: shard) }
            for weight in dense {
                try weight.decompress { (bytes, offset) throws(SiltError) in
                    try shard.write(bytes, to: weight.name, at: offset)
                    try rewrite.step(0, weight.name)
                }
                try rewrite.step(weight.values.info.bytes + weight.mask.info.bytes, weight.name)
            }
            try shard.finish()
            index += list.map { ($0.0, $0.1, path) }
        }
        try SparseBitmask.others(
            checkpoint, models.map(\.path), index, configuration.dense(), rewrite)
        try rewrite.commit()
        return ConversionReport(files: rewrite.files, tensors: rewrite.tensors, converted: weights.count)
    }

    /// Writes the checkpoint `directory` as `output` with the weights of its linear layers in `layout`.
    ///
    /// Chosen are matrices `NAME.weight` that are no embeddings and become smaller; for `twoOfFour`, those that have at most two
    /// values in every four.
    ///
    /// Throws `usage` if the checkpoint is sparse already or has no such tensor, and what reading and writing throw.
    package func compress(
        _ directory: String, _ layout: SparseLayout, to output: String
    ) throws(SiltError) -> ConversionReport {
        let checkpoint = try Checkpoint(at: directory)
        guard checkpoint.form == .directory else { throw SparseBitmask.notDirectory(directory) }
        let configuration = try SparsityConfiguration(of: checkpoint)
        guard !configuration.isSparse else {
            throw SiltError(.usage, "the checkpoint is already in a sparse layout", file: configuration.path)
        }
        let rewrite = try DirectoryRewrite(
            at: output, inputs: [checkpoint], expected: checkpoint.files, replacing: replaceExisting, "converting",
            context)
        var index: [(name: String, info: TensorInfo, file: String)] = []
        var modules: [String] = []
        var (zeros, negativeZeros) = (0, 0)
        let models = try checkpoint.modelFiles
        for (path, file, tensors) in models {
            var packed: [ByteName: BitmaskEncoder] = [:]
            var list: [(name: String, info: TensorInfo)] = []
            for tensor in tensors {
                if let encoder = try BitmaskEncoder(tensor, layout, keepsNegativeZeros: keepsNegativeZeros) {
                    packed[ByteName(tensor.name)] = encoder
                    list += encoder.parts
                    modules.append(encoder.module)
                    zeros += tensor.info.parameters - encoder.count
                    negativeZeros += encoder.negativeZeros
                } else {
                    list.append((tensor.name, tensor.info))
                }
                try rewrite.step(0, tensor.name)
            }
            let shard = try rewrite.shard(path, list, metadata: file.header.metadata)
            for tensor in tensors {
                if let encoder = packed[ByteName(tensor.name)] {
                    try encoder.write(to: shard)
                    try rewrite.step(tensor.info.bytes, tensor.name)
                } else {
                    try rewrite.copy(tensor, to: shard)
                }
            }
            try shard.finish()
            index += list.map { ($0.name, $0.info, path) }
        }
        guard !modules.isEmpty else {
            throw SiltError(.usage, "no tensor becomes smaller in the layout \(layout.rawValue)", file: directory)
        }
        let parameters = checkpoint.tensors.reduce(0) { $0 + $1.info.parameters }
        let text = configuration.sparse(
            layout, modules: modules.sorted(), share: Double(zeros) / Double(max(1, parameters)))
        try SparseBitmask.others(checkpoint, models.map(\.path), index, text, rewrite)
        try rewrite.commit()
        return ConversionReport(
            files: rewrite.files, tensors: rewrite.tensors, converted: modules.count, negativeZeros: negativeZeros)
    }

    private static func notDirectory(_ path: String) -> SiltError {
        SiltError(.usage, "expected a directory with config.json, found a file", file: path)
    }

    private static func others(
        _ checkpoint: Checkpoint, _ models: [String], _ index: [(name: String, info: TensorInfo, file: String)],
        _ configuration: [UInt8], _ rewrite: DirectoryRewrite
    ) throws(SiltError) {
        for path in checkpoint.files where !models.contains(path) {
            if path == SparsityConfiguration.fileName {
                try rewrite.write(configuration, to: path)
            } else if path == ShardIndex.fileName, let text = try MergedIndex.text(checkpoint.source(path), index) {
                try rewrite.write(text, to: path)
            } else {
                try rewrite.copy(checkpoint.source(path), to: path)
            }
        }
    }
}
