internal import SiltReading
internal import DeltaKernels
internal import Safetensors
internal import ByteSources
internal import TensorTypes
internal import Transformers

/// A directory in Hub layout with a trained model: config.json, model.safetensors, and the base's tokenizer.
struct ModelDirectory {
    /// Files of the base that go with every model made from it.
    private static let companions = [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.txt",
        "vocab.json", "merges.txt", "tokenizer.model", "sentencepiece.bpe.model", "spiece.model", "chat_template.jinja",
        "chat_template.json", "generation_config.json",
    ]
    private static let configuration = "config.json"
    private static let model = "model.safetensors"

    /// Values that are converted at once.
    private static let piece = 1 << 18

    let path: String
    private let base: Checkpoint
    private let replaces: Bool

    /// The directory at `path`, which must be free, or with `replacing` hold nothing but such a model.
    ///
    /// Throws `cannotCreate` otherwise, and if it is the base.
    init(_ path: String, base: Checkpoint, replacing: Bool) throws(SiltError) {
        (self.path, self.base, replaces) = (path, base, replacing)
        try OutputGuard.check(path, files: [], checkpoints: [base])
        try begin().discard()
    }

    private func begin() throws(SiltError) -> StagedOutput {
        let names = ModelDirectory.companions + [ModelDirectory.configuration, ModelDirectory.model]
        return try StagedOutput(
            at: path, form: .directory,
            replacing: replaces ? .directory(expected: Set(names.map { ByteName($0) })) : .never)
    }

    /// Writes the model, whole or not at all.
    ///
    /// - Parameter tensors: whose values are exact in their dtypes.
    func write(_ json: JSONValue, _ tensors: [(name: String, dtype: DType, values: FloatTensor)]) throws(SiltError) {
        let output = try begin()
        defer { output.discard() }
        var members = JSONMembers(json)
        if let widest = tensors.map(\.dtype).max(by: { $0.bits < $1.bits }) {
            // What transformers 4 and 5 call it.
            for key in ["torch_dtype", "dtype"] { members[key] = .string(ModelDirectory.name(of: widest)) }
        }
        try put(members.value.serialized(pretty: true) + [10], ModelDirectory.configuration, output)
        for name in ModelDirectory.companions where base.form == .directory && base.files.contains(name) {
            let input = try base.source(name)
            try put(try input.bytes(0..<input.size), name, output)
        }
        try put(tensors, output)
        try output.commit()
    }

    private func put(_ bytes: [UInt8], _ name: String, _ output: StagedOutput) throws(SiltError) {
        let file = try output.create(name)
        try file.write(bytes, at: 0)
        file.close()
    }

    private func put(
        _ tensors: [(name: String, dtype: DType, values: FloatTensor)], _ output: StagedOutput
    ) throws(SiltError) {
        let infos = tensors.compactMap { entry in
            TensorInfo(dtype: entry.dtype, shape: entry.values.shape).map { (name: entry.name, info: $0) }
        }
        let file = try SafetensorsWriter(
            try output.create(ModelDirectory.model), for: infos, metadata: ["format": "pt"])
        let buffer = ByteBuffer(capacity: 4 * ModelDirectory.piece)
        for (name, dtype, values) in tensors {
            for first in stride(from: 0, to: values.count, by: ModelDirectory.piece) {
                let count = min(ModelDirectory.piece, values.count - first)
                unsafe FloatConversion.convert(values.start + first, .f32, to: buffer.start, dtype, count: count)
                try unsafe file.write(
                    UnsafeRawBufferPointer(buffer.prefix(count * dtype.elementBytes)), to: name,
                    at: first * dtype.elementBytes)
            }
        }
        try file.finish()
    }

    private static func name(of dtype: DType) -> String {
        switch dtype {
        case .bf16: "bfloat16"
        case .f16: "float16"
        default: "float32"
        }
    }
}
