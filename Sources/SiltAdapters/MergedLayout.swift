internal import Workers
internal import Safetensors
internal import ByteSources
internal import TensorTypes

/// The files of the model that an adapter and its base make: those of the base, with other contents.
///
/// Tensors stay in the files that they are in; what the base does not have comes into the last one. Dtypes are the base's.
struct MergedLayout: Sendable {
    /// A safetensors file of the merged model.
    struct ModelFile: Sendable {
        /// Its relative path: that of the base's file.
        let path: String
        /// Its header: the base's own where names and shapes stay as they are.
        let header: SafetensorsHeader
        /// Its tensors, in the order of the header's entries.
        let tensors: [MergedTensor]
        /// Bytes of the whole file.
        var bytes: Int { header.dataStart + (tensors.last?.range.upperBound ?? 0) }
    }

    /// Another file.
    enum OtherFile: Sendable {
        /// The base's file of this relative path, as it is.
        case base(String)
        /// A file of this relative path with these bytes: the index, if names or sizes change.
        case text(String, [UInt8])

        var path: String {
            switch self {
            case .base(let path), .text(let path, _): path
            }
        }
    }

    let form: Checkpoint.Form
    let models: [ModelFile]
    let others: [OtherFile]
    let matcher: AdapterMatcher

    /// Plans the merged model.
    ///
    /// Throws what `AdapterMatcher.init` throws, and `header` if two tensors would have one name.
    init(
        _ adapter: Adapter, base: Checkpoint, _ cancellation: Cancellation = Cancellation()
    ) throws(SiltError) {
        let matcher = try AdapterMatcher(adapter, base: base, cancellation)
        let byFile = Dictionary(grouping: base.tensors) { ByteName($0.file.path) }
        let paths = base.safetensorsFiles.filter { byFile[ByteName(base.path(of: $0))] != nil }
        var models: [ModelFile] = []
        for path in paths {
            let tensors = byFile[ByteName(base.path(of: path))] ?? []
            let file = try base.open(path)
            models.append(try MergedLayout.model(path, file, tensors, matcher, isLast: path == paths.last))
        }
        try MergedLayout.checkNames(models)
        let kept = Set(paths.map { ByteName($0) })
        let tensors = models.flatMap { model in model.tensors.map { ($0.name, $0.info, model.path) } }
        var others: [OtherFile] = []
        for path in base.files where !kept.contains(ByteName(path)) {
            if path == ShardIndex.fileName, let text = try MergedIndex.text(base.source(path), tensors) {
                others.append(.text(path, text))
            } else {
                others.append(.base(path))
            }
        }
        form = base.form
        self.models = models
        self.others = others
        self.matcher = matcher
    }

    private static func model(
        _ path: String, _ file: SafetensorsFile, _ tensors: [Checkpoint.Tensor], _ matcher: AdapterMatcher, isLast: Bool
    ) throws(SiltError) -> ModelFile {
        var sources: [(name: String, info: TensorInfo, source: MergedTensor.Source)] = []
        for tensor in tensors {
            let key = ByteName(tensor.name)
            var (info, source) = (tensor.info, MergedTensor.Source.base(tensor))
            if let update = matcher.updates[key] {
                source = .adapted(tensor, update)
                if let saved = matcher.saved.foundations[key] {
                    source = .founded(saved, update, replacing: tensor)
                    info = try resized(tensor, saved)
                }
            } else if let pair = matcher.sparse[key] {
                source = .sparse(tensor, pair)
            } else if let saved = matcher.saved.replacements[key] {
                source = .saved(saved, replacing: tensor)
                info = try resized(tensor, saved)
            }
            sources.append((matcher.naming.resultName(ofBase: tensor.name), info, source))
        }
        if isLast {
            for saved in matcher.saved.additions {
                let name = matcher.naming.resultName(ofNew: saved.target)
                sources.append((name, saved.entry.info, .saved(saved, replacing: nil)))
            }
        }
        let header = try header(path, file, sources.map { ($0.name, $0.info) })
        let byName = Dictionary(sources.map { (ByteName($0.name), $0) }, uniquingKeysWith: { first, _ in first })
        let merged = header.entries.compactMap { entry in
            byName[ByteName(entry.name)].map {
                MergedTensor(name: entry.name, info: entry.info, range: entry.range, source: $0.source)
            }
        }
        return ModelFile(path: path, header: header, tensors: merged)
    }

    /// The base's dtype and the adapter's shape.
    private static func resized(_ tensor: Checkpoint.Tensor, _ saved: SavedTensor) throws(SiltError) -> TensorInfo {
        guard let info = TensorInfo(dtype: tensor.info.dtype, shape: saved.entry.info.shape) else {
            throw SiltError(.header, "the size overflows", file: saved.file.path, tensor: saved.entry.name)
        }
        return info
    }

    /// The base's header if it is one of these tensors, else a new one with the same metadata.
    private static func header(
        _ path: String, _ file: SafetensorsFile, _ tensors: [(name: String, info: TensorInfo)]
    ) throws(SiltError) -> SafetensorsHeader {
        let isSame =
            tensors.count == file.header.entries.count
            && tensors.allSatisfy { file.header[$0.name]?.info == $0.info }
        guard !isSame else { return file.header }
        let metadata = file.header.metadata ?? ["format": "pt"]
        let (text, offsets) = try SafetensorsHeaderBuilder.header(for: tensors, metadata: metadata)
        let end = offsets.values.reduce(0) { max($0, $1.upperBound) }
        return try SafetensorsHeader(text: text, fileBytes: 8 + text.count + end, file: path)
    }

    private static func checkNames(_ models: [ModelFile]) throws(SiltError) {
        var seen: Set<ByteName> = []
        for model in models {
            for tensor in model.tensors where !seen.insert(ByteName(tensor.name)).inserted {
                throw SiltError(.header, "two tensors of the merged model have this name", tensor: tensor.name)
            }
        }
    }
}
