internal import Logging
internal import SiltReading
package import Workers
package import Safetensors
internal import SiltFormat
internal import ByteSources
package import TensorTypes
package import Transformers

/// Brings models into memory to be run: from checkpoints, or rebuilt from a Silt file over its base.
///
/// It takes four bytes for each value of the model.
package struct ModelLoader: Sendable {
    /// A model that can be run.
    package struct Loaded: Sendable {
        let configuration: ModelConfiguration
        let weights: WeightTable
        /// The checkpoint that was read: of a Silt file, its base.
        let checkpoint: Checkpoint
    }

    private let context: WorkContext

    package init(_ context: WorkContext) { self.context = context }

    /// Loads the checkpoint `path`: a directory, or a safetensors file with config.json beside it.
    package func checkpoint(_ path: String) throws(SiltError) -> Loaded {
        let checkpoint = try Checkpoint.asModel(path)
        for note in checkpoint.notes { context.log.notice("\(note)") }
        let configuration = try configuration(of: checkpoint)
        try ModelMemory.check(checkpoint.tensors.map(\.info), file: path)
        return Loaded(
            configuration: configuration, weights: try WeightTable(reading: checkpoint), checkpoint: checkpoint)
    }

    /// What config.json of the checkpoint says.
    package func configuration(of checkpoint: Checkpoint) throws(SiltError) -> ModelConfiguration {
        let (json, path) = try ModelLoader.json(of: checkpoint)
        return try ModelConfiguration(json, file: path)
    }

    /// config.json of the checkpoint, and its path.
    package static func json(of checkpoint: Checkpoint) throws(SiltError) -> (JSONValue, path: String) {
        let path: String
        switch checkpoint.form {
        case .directory: path = checkpoint.path(of: "config.json")
        case .file:
            let parts = checkpoint.path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            path = (parts + ["config.json"]).joined(separator: "/")
        }
        guard DirectoryListing.kind(of: path) == .file else {
            throw SiltError(
                .inputMissing, "there is no config.json to say which architecture the model has",
                file: checkpoint.path,
                advice: "give a directory in Hub layout, or run the model with \(option: .evaluator) CMD")
        }
        return (try JSONFile(path, name: "config.json", code: .usage).value, path)
    }

    /// Rebuilds the model of a Silt file in memory, with all of unpack's checks.
    package func silt(_ file: String, base: String) throws(SiltError) -> Loaded {
        try ModelLoader.checkIsFile(file)
        let container = try ContainerReader(file)
        let manifest = container.manifest
        let checkpoint = try Checkpoint.asBase(base)
        let rebuilder = Rebuilder(
            container, BaseBinding(checkpoint: checkpoint), context.pool, level: context.kernelLevel)
        // Not even the bytes must be there: empty chunks stand for zeros.
        try ModelMemory.check(manifest.tensors.map(\.info), file: file)
        let memory = RebuiltModel(manifest, files: try ModelLoader.modelFiles(of: container, over: checkpoint))
        try unsafe rebuilder.run(
            rebuilder.plan(Rebuilder.refuse), "rebuilding", context.progress,
            sink: { (_, index, offset, name, bytes) throws(SiltError) in
                unsafe memory.add(bytes, file: index, at: offset, tensor: name)
            }, verdict: Rebuilder.refuse)
        let configuration: ModelConfiguration
        if let bytes = memory.configuration {
            let path = "config.json of \(file)"
            configuration = try ModelConfiguration(
                JSONFile(bytes: bytes, file: path, name: "config.json", code: .usage).value, file: path)
        } else {
            // A delta of single files has no config.json; the base's, which lies beside it, may do.
            configuration = try self.configuration(of: checkpoint)
        }
        return Loaded(configuration: configuration, weights: memory.weights, checkpoint: checkpoint)
    }

    /// The files that are the model's where several have tensors of one name, as for a checkpoint; else nil.
    private static func modelFiles(
        of container: ContainerReader, over base: Checkpoint
    ) throws(SiltError) -> Set<ByteName>? {
        let names = container.manifest.tensors.map { ByteName($0.name) }
        guard Set(names).count < names.count else { return nil }
        return Set(try SiltFile(container).over(base).checkpoint().modelFiles.map { ByteName($0.path) })
    }

    /// Refuses a checkpoint in the place of a Silt file.
    static func checkIsFile(_ path: String) throws(SiltError) {
        guard DirectoryListing.kind(of: path) == .directory else { return }
        throw SiltError(
            .usage, "\(option: .base) requires a Silt file as the model, not a directory", file: path,
            advice: "leave out \(option: .base) to measure a checkpoint")
    }
}
