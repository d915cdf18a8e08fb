package import ByteSources
package import TensorTypes

/// The index of a sharded checkpoint whose tensors have other names or shapes than before.
package enum MergedIndex {
    /// The text of an index with these tensors; nil if it says the same already.
    ///
    /// Other members than `weight_map`, `total_size` and `total_parameters` stay.
    package static func text(
        _ input: any ByteSource, _ tensors: [(name: String, info: TensorInfo, file: String)]
    ) throws(SiltError) -> [UInt8]? {
        let old = try ShardIndex(input)
        var pairs = tensors.map { (name: $0.name, file: $0.file) }
        pairs.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        let isSame = pairs.count == old.weightMap.count && pairs.allSatisfy { old.weightMap[$0.name] == $0.file }
        // It was checked a moment ago.
        let root = try JSONFile(input, limit: ShardIndex.limit, name: "the index", code: .changed).value
        guard case .object(let members) = root else { return nil }
        let sizes: [String: Int] = [
            "total_size": tensors.reduce(0) { $0 + $1.info.bytes },
            "total_parameters": tensors.reduce(0) { $0 + $1.info.parameters },
        ]
        let map = JSONValue.object(pairs.map { .init($0.name, .string($0.file)) })
        var isSized = true
        let new = members.map { member -> JSONValue.Member in
            switch (member.key, member.value) {
            case ("weight_map", _): return .init("weight_map", map)
            case ("metadata", .object(let fields)):
                return .init(
                    "metadata",
                    .object(
                        fields.map { field in
                            guard let size = sizes[field.key], case .integer(let before) = field.value else {
                                return field
                            }
                            isSized = isSized && before == size
                            return .init(field.key, .integer(size))
                        }))
            default: return member
            }
        }
        return isSame && isSized ? nil : JSONValue.object(new).serialized(pretty: true) + [10]
    }
}
