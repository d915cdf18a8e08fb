package import SiltFormat

/// Tensors and stored bytes of one kind of part.
package struct EncodingShare: Sendable, Hashable {
    /// Tensors that have a part of this kind.
    package var tensors = 0
    /// Stored bytes of these parts, tables not counted.
    package var bytes = 0
}

/// What each kind of part takes in a file.
package enum EncodingShares {
    /// By kind, with `tables`, `files` and `adapter` (tensors of an adapter that the result does not have) beside the parts' kinds.
    package static func of(_ manifest: Manifest, _ table: ChunkTable) -> [String: EncodingShare] {
        var shares: [String: EncodingShare] = [:]
        var tables: Set<Int> = []
        for file in manifest.files {
            switch file.content {
            case .base: shares["files", default: .init()].tensors += 0
            case .stored(_, _, let chunks): shares["files", default: .init()].bytes += table.size(of: chunks)
            case .safetensors(_, let tensors):
                for tensor in tensors {
                    for kind in Set(tensor.parts.map(\.kindName)) { shares[kind, default: .init()].tensors += 1 }
                    for part in tensor.parts {
                        shares[part.kindName, default: .init()].bytes += table.size(of: part)
                        tables.formUnion(part.allTables)
                    }
                }
            }
        }
        for case .stored(let stored) in manifest.adapter?.tensors.map(\.source) ?? [] {
            shares["adapter", default: .init()].tensors += 1
            shares["adapter", default: .init()].bytes += table.size(of: stored.chunks)
        }
        if !tables.isEmpty {
            shares["tables"] = .init(tensors: 0, bytes: tables.reduce(0) { $0 + table.size($1) })
        }
        return shares
    }
}
