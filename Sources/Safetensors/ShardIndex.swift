package import ByteSources
public import TensorTypes

/// A `model.safetensors.index.json`: which file of a sharded checkpoint has which tensor.
public struct ShardIndex: Sendable {
    /// The name that the file has in every sharded checkpoint.
    public static let fileName = "model.safetensors.index.json"
    /// The most bytes that an index may have.
    ///
    /// An index has about as many as the headers of its files together.
    public static let limit = 100_000_000

    /// The file of each tensor: a relative path, checked to stay below the checkpoint's directory.
    public let weightMap: [String: String]
    /// Whether a byte order mark stands before the text.
    package let hasByteOrderMark: Bool

    /// Reads the index at `path`.
    ///
    /// Throws `header` if it is over the cap, not strict JSON, or its `weight_map` does not map strings to safe relative
    /// paths; `inputMissing` if there is no such file; `io` or `changed` if reading fails.
    public init(path: String) throws(SiltError) { try self.init(LocalFile(path)) }

    /// Reads an index.
    ///
    /// Throws as above.
    package init(_ input: any ByteSource) throws(SiltError) {
        func refuse(_ message: String, tensor: String? = nil) -> SiltError {
            SiltError(.header, message, file: input.path, tensor: tensor)
        }
        let text = try JSONFile(input, limit: ShardIndex.limit, name: "the index", advice: "download the index again")
        let index = text.value
        guard let map = index["weight_map"] else { throw refuse("the index has no \"weight_map\"") }
        guard case .object(let members) = map else { throw refuse("\"weight_map\" is \(map.kind), not an object") }
        var weightMap: [String: String] = [:]
        var checked: Set<String> = []
        for member in members {
            guard case .string(let file) = member.value else {
                throw refuse("\"weight_map\" has \(member.value.kind), not the name of a file", tensor: member.key)
            }
            if checked.insert(file).inserted {
                do {
                    try RelativePath.check(file)
                } catch {
                    throw refuse(error.message, tensor: member.key)
                }
            }
            guard weightMap.updateValue(file, forKey: member.key) == nil else {
                throw refuse("two tensors have names with the same characters", tensor: member.key)
            }
        }
        self.weightMap = weightMap
        hasByteOrderMark = text.hasByteOrderMark
    }

    /// The files, each once, ascending by their bytes.
    public var files: [String] {
        Set(weightMap.values).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
