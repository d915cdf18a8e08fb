internal import SiltFormat

/// What each kind of part takes in a file.
enum EncodingShares {
    /// By kind, with `tables` and `files` beside the parts' kinds.
    static func of(_ manifest: Manifest, _ table: ChunkTable) -> [String: PackReport.Share] {
        var shares: [String: PackReport.Share] = [:]
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
        if !tables.isEmpty {
            shares["tables"] = .init(tensors: 0, bytes: tables.reduce(0) { $0 + table.size($1) })
        }
        return shares
    }
}
