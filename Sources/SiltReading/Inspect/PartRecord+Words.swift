internal import DeltaCodecs
package import SiltFormat

extension PartRecord {
    /// What the part is called in reports: its kind, or that of its components; what codes the rest over a prediction comes
    /// first.
    var kindName: String {
        guard !components.isEmpty else { return kind.rawValue }
        let names = components.map { component in
            switch component {
            case .sparse(let matrix): matrix.coding.masks.isEmpty ? "dense" : "sparse"
            case .lowRank: "low-rank"
            }
        }.joined(separator: "&")
        return kind == .copy ? names : "\(kind.rawValue) over \(names)"
    }
}

extension ChunkTable {
    /// Stored bytes of a part and its components, without tables.
    package func size(of part: PartRecord) -> Int { part.dataChunks.reduce(0) { $0 + size(of: $1) } }
}

extension ComponentRecord {
    /// The component in words.
    package var words: String {
        switch self {
        case .sparse(let matrix): matrix.words
        case .lowRank(let product):
            "rank \(product.rank), \(product.left.words) x \(product.right.words)"
                + (product.scale.map { ", scale \($0)" } ?? "")
        }
    }
}

extension MatrixRecord {
    fileprivate var words: String {
        var words = coding.masks.map { mask in
            switch mask.positions {
            case .seeded(_, let threshold):
                let p = (SeededMask.rate(of: threshold) * 1e6).rounded() / 1e6
                return "random \(mask.over.rawValue) (p \(p))"
            case .bits: return "\(mask.over.rawValue) by bits"
            case .gaps: return "\(mask.over.rawValue) by gaps"
            }
        }
        words.append(coding.values.type.rawValue)
        switch coding.q {
        case .all(let q): words.append("q \(q)")
        case .rows(let q): words.append("q of \(q.count) rows")
        case nil: break
        }
        return words.joined(separator: ", ")
    }
}
