internal import SiltReading
internal import Workers
internal import Safetensors
internal import ByteSources
internal import TensorTypes

/// A directory that is written from another, file by file, and appears whole or not at all.
final class DirectoryRewrite {
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
        try unsafe pieces(input, 0..<input.size) { (bytes, offset) throws(SiltError) in
            try unsafe file.write(bytes, at: offset)
            try step(0, input.path)
        }
        file.close()
        files += 1
    }

    /// Begins a safetensors file with these tensors.
    func shard(
        _ path: String, _ list: [(name: String, info: TensorInfo)], metadata: [String: String]?
    ) throws(SiltError) -> SafetensorsWriter {
        count(try SafetensorsWriter(try output.create(path), for: list, metadata: metadata))
    }

    /// Begins a safetensors file with this header.
    func shard(_ path: String, _ header: SafetensorsHeader) throws(SiltError) -> SafetensorsWriter {
        count(try SafetensorsWriter(try output.create(path), header: header))
    }

    private func count(_ shard: SafetensorsWriter) -> SafetensorsWriter {
        files += 1
        tensors += shard.entries.count
        return shard
    }

    /// Copies a tensor's bytes.
    func copy(_ tensor: Checkpoint.Tensor, to shard: SafetensorsWriter) throws(SiltError) {
        let start = tensor.file.header.dataStart + tensor.range.lowerBound
        try unsafe pieces(tensor.file.input, start..<start + tensor.range.count) { (bytes, offset) throws(SiltError) in
            try unsafe shard.write(bytes, to: tensor.name, at: offset)
            try step(bytes.count, tensor.name)
        }
    }

    /// Hands over bytes of a file in pieces, each with its offset.
    private func pieces(
        _ input: any ByteSource, _ range: Range<Int>, _ body: (UnsafeRawBufferPointer, Int) throws(SiltError) -> Void
    ) throws(SiltError) {
        buffer.reserve(min(DirectoryRewrite.piece, range.count))
        for start in stride(from: range.lowerBound, to: range.upperBound, by: DirectoryRewrite.piece) {
            let bytes = unsafe buffer.prefix(min(DirectoryRewrite.piece, range.upperBound - start))
            try unsafe input.read(into: bytes, at: start)
            try unsafe body(UnsafeRawBufferPointer(bytes), start - range.lowerBound)
        }
    }
}
