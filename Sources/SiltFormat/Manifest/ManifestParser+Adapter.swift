internal import Safetensors
internal import TensorTypes

extension ManifestParser {
    /// The adapter, whose tensors must be there.
    mutating func adapter(_ parent: inout Fields, _ files: [FileRecord]) throws(SiltError) -> AdapterRecord? {
        guard parent.has("adapter") else { return nil }
        let place = "\(parent.place).adapter"
        var fields = try Fields(parent.value("adapter"), at: place)
        var products: [ByteName: Int] = [:]
        for case .safetensors(_, let tensors) in files.map(\.content) {
            for tensor in tensors {
                products[ByteName(tensor.name)] = tensor.parts.flatMap(\.components).reduce(0) { count, component in
                    if case .lowRank = component { count + 1 } else { count }
                }
            }
        }
        var adapter = AdapterRecord(config: try fields.string("config"), tensors: [])
        for (index, value) in try fields.array("tensors").enumerated() {
            var entry = try Fields(value, at: "\(place).tensors[\(index)]")
            let name = try entry.string("name")
            let source: AdapterRecord.Tensor.Source =
                entry.has("of") ? try ManifestParser.shown(&entry, products) : .stored(try stored(&entry))
            try entry.finish()
            adapter.tensors.append(.init(name: name, source: source))
        }
        try fields.finish()
        return adapter
    }

    /// A tensor that the result has, or a factor of one.
    private static func shown(
        _ entry: inout Fields, _ products: [ByteName: Int]
    ) throws(SiltError) -> AdapterRecord.Tensor.Source {
        let of = try entry.string("of")
        let factor = entry.has("factor") ? try entry.choice("factor", AdapterRecord.Tensor.Factor.self) : nil
        let transposed = try entry.flag("transposed")
        guard let count = products[ByteName(of)], factor == nil || count == 1 else {
            throw SiltError(
                .manifest, "\(entry.place) names a tensor that the result lacks, or that has no one product",
                tensor: of)
        }
        return factor.map { .factor($0, of: of, transposed: transposed) } ?? .result(of: of)
    }

    /// A tensor with bytes of its own.
    private mutating func stored(_ entry: inout Fields) throws(SiltError) -> AdapterRecord.Stored {
        let place = entry.place
        let text = try entry.string("dtype")
        guard let dtype = DType(rawValue: text) else {
            throw SiltError(.manifest, "\(place).dtype is the unknown \"\(text)\"")
        }
        let shape = try entry.extents("shape")
        guard let info = TensorInfo(dtype: dtype, shape: shape) else {
            throw SiltError(.manifest, "\(place).shape \(shape) is that of no \(text) tensor")
        }
        let digest = try entry.digest("digest")
        let chunks = try pieces(&entry, bytes: info.bytes, of: "the tensor")
        return .init(info: info, digest: digest, codec: chunks.codec, chunks: chunks.chunks)
    }
}
