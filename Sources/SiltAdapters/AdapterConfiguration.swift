internal import ByteSources
package import TensorTypes

/// An `adapter_config.json`, as far as it says what the adapter's tensors mean.
package struct AdapterConfiguration: Sendable {
    /// The kinds of adapter that Silt reads.
    enum Kind: String, Sendable, CaseIterable {
        /// Low-rank: `W + scale * B A`.
        case lora = "LORA"
        /// Sparse: `W` with values added at places.
        case shira = "SHIRA"
    }

    /// The name that the file has in every adapter's directory.
    static let fileName = "adapter_config.json"

    /// The file that it was read from, for messages.
    let path: String
    /// The text as it stands in the file.
    let text: String
    let kind: Kind
    /// `r`: the rank, where no pattern says otherwise.
    let rank: Int
    /// `lora_alpha`, where no pattern says otherwise.
    let alpha: Double
    /// Whether the scale is `alpha / sqrt(r)` instead of `alpha / r`.
    let usesRankStabilization: Bool
    /// Whether adapted modules are said to store their weights as [in, out].
    let isFanInFanOut: Bool
    /// `bias`: `none`, `all` or `lora_only`.
    let bias: String
    /// Endings of the paths of modules whose tensors the adapter has whole.
    let modulesToSave: [String]
    /// `base_model_name_or_path`.
    let baseModel: String?
    private let rankPatterns: [(pattern: KeyPattern, value: Int)]
    private let alphaPatterns: [(pattern: KeyPattern, value: Double)]

    /// Reads the configuration at `path`.
    ///
    /// Throws `inputMissing` or `io`; `header` if it is not strict JSON or a field has the wrong type; `usage` for an adapter
    /// that is not `W + scale * B A`.
    init(path: String) throws(SiltError) {
        try self.init(JSONFile(path), path: path)
    }

    /// Parses the text of a configuration; `path` is for messages.
    package init(bytes: [UInt8], path: String) throws(SiltError) {
        try self.init(JSONFile(bytes: bytes, file: path), path: path)
    }

    private init(_ file: JSONFile, path: String) throws(SiltError) {
        let fields = try JSONFields(file.value, of: .file(path))
        self.path = path
        text = String(decoding: file.bytes, as: UTF8.self)
        kind = try AdapterVariants.kind(fields)
        try AdapterVariants.check(fields, kind)
        rank = try fields.integer("r") ?? (kind == .lora ? 8 : 32)
        alpha = try fields.number("lora_alpha") ?? 8
        usesRankStabilization = try fields.flag("use_rslora") ?? false
        isFanInFanOut = try fields.flag("fan_in_fan_out") ?? false
        bias = try fields.string("bias") ?? "none"
        modulesToSave = try fields.names("modules_to_save")
        baseModel = try fields.string("base_model_name_or_path")
        rankPatterns = try fields.pattern("rank_pattern") { (value) throws(SiltError) in
            guard case .integer(let rank) = value, rank > 0 else {
                throw fields.refuse("\"rank_pattern\" must contain only ranks above 0")
            }
            return rank
        }
        alphaPatterns = try fields.pattern("alpha_pattern") { (value) throws(SiltError) in
            guard let alpha = value.double else {
                throw fields.refuse("\"alpha_pattern\" has \(value.kind), not a number")
            }
            return alpha
        }
        guard rank > 0 else { throw fields.refuse("\"r\" is \(rank), not a rank above 0") }
        guard ["none", "all", "lora_only"].contains(bias) else {
            throw fields.refuse("\"bias\" is \"\(bias)\"; known are none, all and lora_only")
        }
    }

    /// The rank that the configuration gives the module at `path` (without `base_model.model.`).
    func rank(of path: String) -> Int { rankPatterns.first { $0.pattern.matches(path) }?.value ?? rank }

    /// The scale of the module at `path`, if its rank is `rank`.
    func scale(of path: String, rank: Int) -> Float {
        let alpha = alphaPatterns.first { $0.pattern.matches(path) }?.value ?? alpha
        let divisor = usesRankStabilization ? Double(rank).squareRoot() : Double(rank)
        return Float(alpha / divisor)
    }

    /// Whether `modules_to_save` names a module that the tensor `name` is of.
    ///
    /// As in PEFT, a module is meant if its path ends with the entry.
    func saves(_ name: String) -> Bool {
        var module = name[...]
        while let dot = module.lastIndex(of: ".") {
            module = module[..<dot]
            if modulesToSave.contains(where: { !$0.isEmpty && module.hasSuffix($0) }) { return true }
        }
        return false
    }
}
