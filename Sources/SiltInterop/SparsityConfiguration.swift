internal import Safetensors
internal import ByteSources
internal import TensorTypes

/// `config.json` of a model, as far as it speaks of sparsity: `quantization_config.sparsity_config`, which older releases of
/// compressed-tensors have in `compression_config`, or by itself.
struct SparsityConfiguration {
    static let fileName = "config.json"
    private static let outer = "quantization_config"
    private static let olderOuter = "compression_config"
    private static let inner = "sparsity_config"
    /// What compressed-tensors writes beside the parts that say something.
    private static let trivial: Set<String> = ["quant_method", "version", "format"]

    let path: String
    private let members: [JSONValue.Member]

    /// Reads the configuration of `checkpoint`.
    ///
    /// Throws `inputMissing` if there is none, `header` if it is not a strict JSON object.
    init(of checkpoint: Checkpoint) throws(SiltError) {
        path = checkpoint.path(of: SparsityConfiguration.fileName)
        let value = try JSONFile(path).value
        guard case .object(let members) = value else {
            throw SiltError(.header, "the configuration is \(value.kind), not an object", file: path)
        }
        self.members = members
    }

    /// The member that has the quantization, by whatever name.
    private var outer: String {
        let isOlder = member(SparsityConfiguration.outer) == nil && member(SparsityConfiguration.olderOuter) != nil
        return isOlder ? SparsityConfiguration.olderOuter : SparsityConfiguration.outer
    }

    private func member(_ name: String) -> JSONValue? {
        let value = members.first { $0.key == name }?.value
        return value == .null || value == .object([]) ? nil : value
    }

    private var quantization: [JSONValue.Member]? {
        guard case .object(let fields)? = member(outer) else { return nil }
        return fields
    }

    private var sparsity: JSONValue? {
        let value = quantization?.first { $0.key == SparsityConfiguration.inner }?.value
        let inside = value == .null || value == .object([]) ? nil : value
        return inside ?? member(SparsityConfiguration.inner)
    }

    /// Whether the model says that it is sparse.
    var isSparse: Bool { sparsity != nil }

    /// The layout; throws `usage` for none, or one that Silt does not know.
    func layout() throws(SiltError) -> SparseLayout {
        guard let sparsity else {
            throw SiltError(
                .usage, "the configuration has no quantization_config.sparsity_config: the model is dense", file: path)
        }
        guard case .string(let name)? = sparsity["format"] else {
            throw SiltError(.header, "\"sparsity_config\" has no \"format\"", file: path)
        }
        guard let layout = SparseLayout(rawValue: name) else {
            let known = SparseLayout.allCases.map(\.rawValue).joined(separator: " and ")
            throw SiltError(.usage, "the sparse format \"\(name)\" is not supported; \(known) are", file: path)
        }
        return layout
    }

    /// The text for the dense model.
    func dense() -> [UInt8] {
        let rest = (quantization ?? []).filter { $0.key != SparsityConfiguration.inner }
        let isTrivial = rest.allSatisfy { SparsityConfiguration.trivial.contains($0.key) }
        return text(isTrivial ? nil : rest)
    }

    /// The text for the sparse model: `modules` are in `layout`, and `share` of the elements are zeros.
    func sparse(_ layout: SparseLayout, modules: [String], share: Double) -> [UInt8] {
        let sparsity = JSONValue.members([
            "format": .string(layout.rawValue), "global_sparsity": .number(share), "ignore": .array([]),
            "sparsity_structure": .string(layout.structure), "targets": .array(modules.map { .string($0) }),
        ])
        let before = quantization ?? [.init("quant_method", .string("compressed-tensors"))]
        return text(
            before.filter { $0.key != SparsityConfiguration.inner } + [.init(SparsityConfiguration.inner, sparsity)])
    }

    private func text(_ fields: [JSONValue.Member]?) -> [UInt8] {
        var result = members.filter { ![outer, SparsityConfiguration.inner].contains($0.key) }
        if let fields { result.append(.init(outer, .object(fields))) }
        return JSONValue.object(result).serialized(pretty: true) + [10]
    }
}
