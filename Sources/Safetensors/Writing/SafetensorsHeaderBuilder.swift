public import TensorTypes

/// Makes safetensors headers as the reference writer does: the same order of tensors, compact JSON, the data aligned to 8
/// bytes.
///
/// The one difference: metadata stand in the order of their keys' bytes, where the reference writer's order is random.
public enum SafetensorsHeaderBuilder {
    /// The header of a file with `tensors`, and where each tensor's bytes lie in the data.
    ///
    /// Tensors of wide dtypes come first (in the reference's order of dtypes, backwards), then names ascend by their
    /// bytes. `metadata` nil leaves `__metadata__` out.
    ///
    /// Throws `header` for a name that appears twice or is `__metadata__`, sizes that add up to more than `Int` holds, and a
    /// header over the cap of `SafetensorsHeader.limit` bytes: no reader would take the file.
    public static func header(
        for tensors: [(name: String, info: TensorInfo)], metadata: [String: String]?
    ) throws(SiltError) -> (text: [UInt8], offsets: [String: Range<Int>]) {
        let (text, entries) = try layout(for: tensors, metadata: metadata)
        return (text, Dictionary(entries.map { ($0.name, $0.range) }, uniquingKeysWith: { first, _ in first }))
    }

    /// The header as above, and the tensors in the order of the file.
    static func layout(
        for tensors: [(name: String, info: TensorInfo)], metadata: [String: String]?
    ) throws(SiltError) -> (text: [UInt8], entries: [SafetensorsHeader.Entry]) {
        var members: [JSONValue.Member] = []
        if let metadata {
            let sorted = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            members.append(.init("__metadata__", .object(sorted.map { .init($0.key, .string($0.value)) })))
        }
        var entries: [SafetensorsHeader.Entry] = []
        // Names with the same characters are one name to `SafetensorsHeader`, whatever their bytes.
        var names: Set<String> = []
        var end = 0
        for (name, info) in tensors.sorted(by: isOrdered) {
            let start = end
            let (sum, overflow) = start.addingReportingOverflow(info.bytes)
            guard !overflow, sum <= Int.max - 8 - SafetensorsHeader.limit else {
                throw SiltError(.header, "the sizes of the tensors add up to too much", tensor: name)
            }
            end = sum
            guard name != "__metadata__" else {
                throw SiltError(.header, "a tensor cannot have this name: readers take it for metadata", tensor: name)
            }
            guard names.insert(name).inserted else {
                throw SiltError(.header, "two tensors have this name", tensor: name)
            }
            entries.append(SafetensorsHeader.Entry(name: name, info: info, range: start..<end))
            members.append(
                .init(
                    name,
                    .members([
                        "dtype": .string(info.dtype.rawValue), "shape": .array(info.shape.map { .integer($0) }),
                        "data_offsets": .array([.integer(start), .integer(end)]),
                    ])))
        }
        var text = JSONValue.object(members).serialized()
        text.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - text.count % 8) % 8))
        guard text.count <= SafetensorsHeader.limit else {
            throw SiltError(
                .header, "the header would have \(text.count) bytes; at most \(SafetensorsHeader.limit) are allowed")
        }
        return (text, entries)
    }

    private static let order = Dictionary(uniqueKeysWithValues: DType.allCases.enumerated().map { ($1, $0) })

    private static func isOrdered(
        _ first: (name: String, info: TensorInfo), _ second: (name: String, info: TensorInfo)
    ) -> Bool {
        let (left, right) = (order[first.info.dtype] ?? 0, order[second.info.dtype] ?? 0)
        return left == right ? first.name.utf8.lexicographicallyPrecedes(second.name.utf8) : left > right
    }
}
