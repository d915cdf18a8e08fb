internal import Safetensors
internal import TensorTypes

/// Sorts the tensors of an adapter's file into updates and whole tensors, and checks their shapes.
struct AdapterReader {
    /// The most bytes of a name: patterns are matched against it.
    private static let nameLimit = 4_096

    private struct Parts {
        var first: SafetensorsHeader.Entry?
        var second: SafetensorsHeader.Entry?
    }

    private let configuration: AdapterConfiguration
    private let file: SafetensorsFile
    private(set) var pairs: [LowRankPair] = []
    private(set) var sparse: [SparsePair] = []
    private(set) var saved: [SavedTensor] = []
    private(set) var ignored: [String] = []

    init(_ configuration: AdapterConfiguration, _ file: SafetensorsFile) {
        self.configuration = configuration
        self.file = file
    }

    mutating func read() throws(SiltError) {
        var linear: [ByteName: Parts] = [:]
        var embeddings: [ByteName: Parts] = [:]
        var places: [ByteName: Parts] = [:]
        var whole: [ByteName: (entry: SafetensorsHeader.Entry, isWrapped: Bool)] = [:]
        let adapters = Set(file.header.entries.compactMap { AdapterTensorName.adapter(in: $0.name) } + ["default"])
        for entry in file.header.entries {
            guard entry.name.utf8.count <= AdapterReader.nameLimit else {
                throw refuse("the name has more than \(AdapterReader.nameLimit) bytes", entry)
            }
            guard entry.info.elements > 0 else { throw empty(entry) }
            let name = AdapterTensorName(entry.name, adapters: adapters)
            let path = ByteName(name.path)
            switch name.part {
            case .lowRank(let isFirst): try insert(entry, isFirst, &linear[path, default: Parts()])
            case .embedding(let isFirst): try insert(entry, isFirst, &embeddings[path, default: Parts()])
            case .sparseValues: try insert(entry, true, &places[path, default: Parts()])
            case .sparsePlaces: try insert(entry, false, &places[path, default: Parts()])
            case .original: ignored.append(entry.name)
            case .unknown(let part): throw unknown(part, entry)
            case .saved:
                guard let other = whole[path] else {
                    whole[path] = (entry, name.isWrapped)
                    continue
                }
                guard other.isWrapped != name.isWrapped else { throw twice(entry, other.entry) }
                // PEFT loads the one without the wrapper's word.
                ignored.append(name.isWrapped ? entry.name : other.entry.name)
                if !name.isWrapped { whole[path] = (entry, false) }
            }
        }
        try checkKinds(lowRank: [linear, embeddings], sparse: places)
        try assemble(linear, embeddings, places)
        saved = whole.map { name, tensor in
            let isBias = configuration.bias != "none" && name.string.hasSuffix("bias")
            return SavedTensor(
                target: name.string, entry: tensor.entry, file: file,
                isDeclared: isBias || configuration.saves(name.string))
        }
        pairs.sort { $0.target.utf8.lexicographicallyPrecedes($1.target.utf8) }
        sparse.sort { $0.target.utf8.lexicographicallyPrecedes($1.target.utf8) }
        saved.sort { $0.target.utf8.lexicographicallyPrecedes($1.target.utf8) }
        ignored.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        guard !(pairs.isEmpty && sparse.isEmpty && saved.isEmpty) else {
            throw SiltError(.header, "the adapter has no tensor", file: file.path)
        }
    }

    private mutating func assemble(
        _ linear: [ByteName: Parts], _ embeddings: [ByteName: Parts], _ places: [ByteName: Parts]
    ) throws(SiltError) {
        for (path, parts) in ordered(linear) { pairs.append(try pair(path, parts, isEmbedding: false)) }
        for (path, parts) in ordered(embeddings) {
            if let other = linear[ByteName(path)]?.first { throw refuse("the module has factors of two kinds", other) }
            pairs.append(try pair(path, parts, isEmbedding: true))
        }
        for (path, parts) in ordered(places) {
            let (values, indices) = try both(parts, "shira_weight", "shira_indices")
            sparse.append(try SparsePair(target: path + ".weight", values: values, indices: indices, file))
        }
    }

    /// Ascending by the bytes of the paths, so that of several errors always the same is told.
    private func ordered(_ parts: [ByteName: Parts]) -> [(path: String, parts: Parts)] {
        parts.map { ($0.key.string, $0.value) }.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    private func checkKinds(lowRank: [[ByteName: Parts]], sparse: [ByteName: Parts]) throws(SiltError) {
        let strays = configuration.kind == .lora ? [sparse] : lowRank
        for parts in strays {
            guard let stray = ordered(parts).first?.parts else { continue }
            throw SiltError(
                .header,
                "the tensor does not belong to an adapter of type \(configuration.kind.rawValue), which the configuration says "
                    + "this is", file: file.path, tensor: (stray.first ?? stray.second)?.name)
        }
    }

    private func refuse(_ message: String, _ entry: SafetensorsHeader.Entry, advice: String? = nil) -> SiltError {
        SiltError(.header, message, file: file.path, tensor: entry.name, advice: advice)
    }

    private func empty(_ entry: SafetensorsHeader.Entry) -> SiltError {
        refuse(
            "the tensor is empty, \(entry.info.description)", entry,
            advice: "the adapter was saved under DeepSpeed ZeRO-3 without gathering the parameters, so what was "
                + "trained is not in the file: save it again with stage3_gather_16bit_weights_on_model_save")
    }

    private func unknown(_ part: String, _ entry: SafetensorsHeader.Entry) -> SiltError {
        SiltError(
            .usage, "\"\(part)\" is not a part of a LoRA or SHiRA adapter that Silt can read", file: file.path,
            tensor: entry.name, advice: AdapterVariants.merge)
    }

    private func twice(_ entry: SafetensorsHeader.Entry, _ other: SafetensorsHeader.Entry) -> SiltError {
        refuse(
            "the tensor has the same role as \"\(other.name)\"", entry,
            advice: "the file has more than one adapter; save each in a directory of its own")
    }

    private func insert(
        _ entry: SafetensorsHeader.Entry, _ isFirst: Bool, _ parts: inout Parts
    ) throws(SiltError) {
        if let other = isFirst ? parts.first : parts.second { throw twice(entry, other) }
        if isFirst { parts.first = entry } else { parts.second = entry }
    }

    private func both(
        _ parts: Parts, _ first: String, _ second: String
    ) throws(SiltError) -> (SafetensorsHeader.Entry, SafetensorsHeader.Entry) {
        if let first = parts.first, let second = parts.second { return (first, second) }
        let missing = parts.first == nil ? first : second
        throw SiltError(
            .header, "the tensor has no partner \(missing)", file: file.path,
            tensor: (parts.first ?? parts.second)?.name, advice: "the adapter is incomplete: save or download it again")
    }

    private func pair(_ path: String, _ parts: Parts, isEmbedding: Bool) throws(SiltError) -> LowRankPair {
        let prefix = isEmbedding ? "lora_embedding_" : "lora_"
        let (first, second) = try both(parts, prefix + "A", prefix + "B")
        for entry in [first, second] where ![.f32, .f16, .bf16].contains(entry.info.dtype) {
            throw refuse("the factor is \(entry.info.dtype.rawValue); F32, F16 and BF16 are supported", entry)
        }
        let (a, b) = (first.info.shape, second.info.shape)
        guard a.count >= 2, isEmbedding ? a.count == 2 : true, a.allSatisfy({ $0 > 0 }) else {
            throw refuse("the shape \(a) is not that of a factor A, [r, in]", first)
        }
        guard b.count == a.count, b[1] == a[0], b[0] > 0, b.dropFirst(2).allSatisfy({ $0 == 1 }) else {
            throw refuse(
                "the shape \(b) is not that of a factor B for A's \(a), which begins with [out, \(a[0])]", second)
        }
        let inner = AdapterTensorName(first.name).inner
        let expected = configuration.rank(of: inner)
        guard a[0] == expected else {
            throw refuse("the rank is \(a[0]), but \(configuration.path) says \(expected)", first)
        }
        let extent = first.info.parameters / a[0]
        guard a[0] <= max(extent, b[0]) else {
            throw refuse("the rank \(a[0]) is larger than the matrix, \(b[0]) by \(extent)", first)
        }
        let scale = configuration.scale(of: inner, rank: a[0])
        guard scale.isFinite, scale != 0 else {
            throw refuse("the scale is \(scale), which is not a usable scale", first)
        }
        return LowRankPair(
            target: path + ".weight", first: first, second: second, rank: a[0], scale: scale, isEmbedding: isEmbedding)
    }
}
