internal import SiltReading
internal import Workers
internal import DeltaKernels
internal import Safetensors
internal import ByteSources
internal import TensorTypes
internal import Transformers

/// Writes candidates as checkpoints: the fine-tuned one's files, with the tensors in them that a reader would rebuild.
struct CandidateFiles: Sendable {
    /// Bytes that are copied at once.
    private static let piece = 1 << 22

    let fineTuned: Checkpoint

    /// Writes a candidate into `place`, and gives its path: of a directory, or of a file as the fine-tuned checkpoint is.
    func write(_ model: BenchModel, _ bench: Workbench, into place: StagedPlace) throws(SiltError) -> String {
        let root = root
        let copies = try fineTuned.files.map { relative throws(SiltError) in
            let name = fineTuned.form == .file ? root : DirectoryListing.join(root, relative)
            let source = fineTuned.path(of: relative)
            return (source, try copy(source, name, into: place, bench.context.cancellation))
        }
        let outputs = Dictionary(copies, uniquingKeysWith: { first, _ in first })
        try bench.context.pool.run(
            count: model.tensors.count, makeWorker: { BenchWorker() },
            work: { (worker, position) throws(SiltError) in
                let coded = model.tensors[position]
                let tensor = bench.tensors[coded.index]
                guard let output = outputs[tensor.file] else {
                    throw SiltError(
                        .changed, "the file did not exist when the work began", file: tensor.file, tensor: tensor.name)
                }
                let values = try tensor.rebuild(coded.components, coded.chunks, worker)
                let count = values.count
                let bytes = count * tensor.info.dtype.elementBytes
                worker.rebuilt.reserve(bytes)
                // Exact: a reader rounds what it rebuilds to this type.
                unsafe FloatConversion.convert(
                    UnsafeRawPointer(values.start), .f32, to: worker.rebuilt.start, tensor.info.dtype, count: count)
                try unsafe output.write(UnsafeRawBufferPointer(worker.rebuilt.prefix(bytes)), at: tensor.offset)
            })
        for output in outputs.values { output.close() }
        return place.path(root)
    }

    /// The name below the place; an odd one of a single file gives way.
    private var root: String {
        guard fineTuned.form == .file, let name = fineTuned.files.first else { return "model" }
        return (try? RelativePath.check(name)) == nil ? "model.safetensors" : name
    }

    private func copy(
        _ source: String, _ name: String, into place: StagedPlace, _ cancellation: Cancellation
    ) throws(SiltError) -> OutputFile {
        let (input, output) = (try LocalFile(source), try place.create(name))
        let buffer = ByteBuffer(capacity: min(input.size, CandidateFiles.piece))
        for start in stride(from: 0, to: input.size, by: CandidateFiles.piece) {
            try cancellation.check()
            let bytes = unsafe buffer.prefix(min(CandidateFiles.piece, input.size - start))
            try unsafe input.read(into: bytes, at: start)
            try unsafe output.write(UnsafeRawBufferPointer(bytes), at: start)
        }
        return output
    }
}
