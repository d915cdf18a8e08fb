internal import Safetensors
internal import ByteSources
internal import TensorTypes

/// Writes adapters as PEFT saves them.
enum AdapterExport {
    /// Takes the next bytes of a tensor.
    typealias Sink = (_ bytes: [UInt8]) throws(SiltError) -> Void

    /// A tensor of an adapter and where its bytes come from.
    struct Tensor {
        let name: String
        let info: TensorInfo
        /// Hands the bytes to the sink, in order and in pieces of any size; called once.
        let write: (Sink) throws(SiltError) -> Void

        init(_ name: String, _ info: TensorInfo, write: @escaping (Sink) throws(SiltError) -> Void) {
            self.name = name
            self.info = info
            self.write = write
        }

        /// A tensor whose bytes are at hand when they are asked for.
        init(_ name: String, _ info: TensorInfo, bytes: @escaping () throws(SiltError) -> [UInt8]) {
            self.init(name, info) { (sink) throws(SiltError) in try sink(try bytes()) }
        }
    }

    /// Writes the directory of an adapter, which appears whole or not at all.
    ///
    /// With `replacing`, a directory that has nothing but an adapter gives way. Names are written as given, `base_model.model.`
    /// included.
    ///
    /// Throws `usage` if a tensor's bytes are not as many as its shape says, `header` for a name that appears twice,
    /// `cannotCreate` or `io`, and what the providers throw.
    static func write(
        config: String, tensors: [Tensor], to directory: String, replacing: Bool = false
    ) throws(SiltError) {
        let (text, offsets) = try SafetensorsHeaderBuilder.header(
            for: tensors.map { ($0.name, $0.info) }, metadata: ["format": "pt"])
        let names = [ByteName(AdapterConfiguration.fileName), ByteName(Adapter.fileName)]
        let output = try StagedOutput(
            at: directory, form: .directory, replacing: replacing ? .directory(expected: Set(names)) : .never)
        try output.create(AdapterConfiguration.fileName).write(Array(config.utf8), at: 0)
        let file = try output.create(Adapter.fileName)
        var start: [UInt8] = []
        start.appendLittleEndian(UInt64(text.count))
        try file.write(start + text, at: 0)
        // In the order of the file, so that it is written from front to back.
        let ordered = tensors.sorted { (offsets[$0.name]?.lowerBound ?? 0) < (offsets[$1.name]?.lowerBound ?? 0) }
        for tensor in ordered {
            let begin = start.count + text.count + (offsets[tensor.name]?.lowerBound ?? 0)
            var done = 0
            try tensor.write { (bytes) throws(SiltError) in
                guard bytes.count <= tensor.info.bytes - done else { throw wrongSize(tensor, done + bytes.count) }
                try file.write(bytes, at: begin + done)
                done += bytes.count
            }
            guard done == tensor.info.bytes else { throw wrongSize(tensor, done) }
        }
        try output.commit()
    }

    private static func wrongSize(_ tensor: Tensor, _ bytes: Int) -> SiltError {
        SiltError(
            .usage, "\(tensor.info.description) takes \(tensor.info.bytes) bytes, but \(bytes) are given",
            tensor: tensor.name)
    }
}
