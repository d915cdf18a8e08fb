internal import SiltReading
internal import Workers
internal import Safetensors
internal import ByteSources
internal import TensorTypes

/// A directory that is written from another, file by file, and appears whole or not at all.
final class DirectoryRewrite {
    /// A safetensors file of the output whose tensors are written one after the other.
    struct Shard {
        let file: OutputFile
        let dataStart: Int
        let offsets: [String: Range<Int>]

        /// Writes bytes of the tensor `name`, from its byte `offset` on.
        func write(_ bytes: [UInt8], to name: String, at offset: Int = 0) throws(SiltError) {
            guard let range = offsets[name], offset + bytes.count <= range.count else {
                throw SiltError(.fault, "more bytes than the tensor holds", file: file.path, tensor: name)
            }
            try file.write(bytes, at: dataStart + range.lowerBound + offset)
        }
    }

    /// Bytes that are copied at once.
    static let piece = 1 << 20

    private let output: StagedOutput
    private let cancellation: Cancellation
    private let meter: ProgressMeter
    private let buffer = ByteBuffer()
    private(set) var files = 0
    private(set) var tensors = 0

    /// Begins the directory `target`, which must not be one of `inputs` or their files.
    ///
    /// With `replacing`, a directory gives way that has no files but those of `expected`.
    init(
        at target: String, inputs: [Checkpoint], expected: [String], replacing: Bool, _ phase: String,
        _ context: WorkContext
    ) throws(SiltError) {
        for input in inputs where input.form != .directory {
            throw SiltError(.usage, "expected a directory, found a file", file: input.path)
        }
        try OutputGuard.check(target, files: [], checkpoints: inputs)
        let names = Set(expected.map { ByteName($0) })
        output = try StagedOutput(
            at: target, form: .directory, replacing: replacing ? .directory(expected: names) : .never)
        cancellation = context.cancellation
        let total = inputs.last?.tensors.reduce(0) { $0 + $1.info.bytes } ?? 0
        meter = ProgressMeter(phase, total: total, context.progress)
    }

    /// Ends the work.
    func commit() throws(SiltError) { try output.commit() }

    /// Throws `interrupted` if the user wants to stop; else tells how far the work is.
    func step(_ bytes: Int, _ name: String) throws(SiltError) {
        try cancellation.check()
        meter.add(bytes, name)
    }

    /// Writes a whole small file.
    func write(_ bytes: [UInt8], to path: String) throws(SiltError) {
        let file = try output.create(path)
        try file.write(bytes, at: 0)
        file.close()
        files += 1
    }

    /// Copies a file.
    func copy(_ input: any ByteSource, to path: String) throws(SiltError) {
        let file = try output.create(path)
        try copy(input, 0..<input.size, to: file, at: 0)
        file.close()
        files += 1
    }

    /// Begins a safetensors file with these tensors.
    func shard(
        _ path: String, _ list: [(name: String, info: TensorInfo)], metadata: [String: String]?
    ) throws(SiltError) -> Shard {
        let (text, offsets) = try SafetensorsHeaderBuilder.header(for: list, metadata: metadata)
        return try shard(path, text: text, offsets)
    }

    /// Begins a safetensors file with this header.
    func shard(_ path: String, text: [UInt8], _ offsets: [String: Range<Int>]) throws(SiltError) -> Shard {
        let file = try output.create(path)
        var start: [UInt8] = []
        start.appendLittleEndian(UInt64(text.count))
        try file.write(start + text, at: 0)
        files += 1
        tensors += offsets.count
        return Shard(file: file, dataStart: start.count + text.count, offsets: offsets)
    }

    /// Begins a file of any kind.
    func create(_ path: String) throws(SiltError) -> OutputFile {
        files += 1
        return try output.create(path)
    }

    /// Copies a tensor's bytes.
    func copy(_ tensor: Checkpoint.Tensor, to shard: Shard) throws(SiltError) {
        guard let range = shard.offsets[tensor.name], range.count == tensor.range.count else {
            throw SiltError(.fault, "the tensor has a different size than planned", tensor: tensor.name)
        }
        let start = tensor.file.header.dataStart + tensor.range.lowerBound
        try copy(
            tensor.file.input, start..<start + range.count, to: shard.file, at: shard.dataStart + range.lowerBound,
            tensor.name)
    }

    private func copy(
        _ input: any ByteSource, _ range: Range<Int>, to file: OutputFile, at offset: Int, _ tensor: String? = nil
    ) throws(SiltError) {
        buffer.reserve(min(DirectoryRewrite.piece, range.count))
        var start = range.lowerBound
        while start < range.upperBound {
            let count = min(DirectoryRewrite.piece, range.upperBound - start)
            let bytes = unsafe buffer.prefix(count)
            try unsafe input.read(into: bytes, at: start)
            try unsafe file.write(UnsafeRawBufferPointer(bytes), at: offset + start - range.lowerBound)
            start += count
            try step(tensor == nil ? 0 : count, tensor ?? input.path)
        }
    }
}
