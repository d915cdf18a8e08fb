internal import TensorTypes

extension AdapterRecord {
    /// The adapter as JSON (Formats/Silt.md, section 12.8).
    var json: JSONValue {
        .members(["config": .string(config), "tensors": .array(tensors.map(\.json))])
    }
}

extension AdapterRecord.Tensor {
    fileprivate var json: JSONValue {
        var members: [JSONValue.Member] = [.init("name", .string(name))]
        switch source {
        case .result(let of): members.append(.init("of", .string(of)))
        case .factor(let factor, let of, let transposed):
            members += [.init("of", .string(of)), .init("factor", .string(factor.rawValue))]
            if transposed { members.append(.init("transposed", .bool(true))) }
        case .stored(let stored):
            members += [
                .init("dtype", .string(stored.info.dtype.rawValue)),
                .init("shape", .array(stored.info.shape.map { .integer($0) })),
                .init("digest", .string(stored.digest.hex)), .init("codec", .string(stored.codec.rawValue)),
            ]
            if !stored.chunks.isEmpty { members.append(.init("chunk", .integer(stored.chunks.lowerBound))) }
        }
        return .object(members)
    }
}
