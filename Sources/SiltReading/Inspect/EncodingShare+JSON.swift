package import TensorTypes

extension [String: EncodingShare] {
    /// By kind, in the order of the names.
    package var json: JSONValue {
        .object(
            sorted { $0.key < $1.key }.map { kind, share in
                .init(kind, .members(["tensors": .integer(share.tensors), "bytes": .integer(share.bytes)]))
            })
    }
}
