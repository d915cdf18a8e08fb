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
        let names = [ByteName(AdapterConfiguration.fileName), ByteName(Adapter.fileName)]
        let output = try StagedOutput(
            at: directory, form: .directory, replacing: replacing ? .directory(expected: Set(names)) : .never)
        try output.create(AdapterConfiguration.fileName).write(Array(config.utf8), at: 0)
        let file = try SafetensorsWriter(
            try output.create(Adapter.fileName), for: tensors.map { ($0.name, $0.info) }, metadata: ["format": "pt"])
        let byName = Dictionary(tensors.map { (ByteName($0.name), $0) }, uniquingKeysWith: { first, _ in first })
        // In the order of the file, so that it is written from front to back.
        for tensor in file.entries.compactMap({ byName[ByteName($0.name)] }) {
            var done = 0
            try tensor.write { (bytes) throws(SiltError) in
                try file.write(bytes, to: tensor.name, at: done)
                done += bytes.count
            }
        }
        try file.finish()
        try output.commit()
    }
}
