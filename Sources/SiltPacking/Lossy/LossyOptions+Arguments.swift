extension LossyOptions {
    /// How `silt pack` is told these options: what is the default is left out.
    package var arguments: String {
        let usual = LossyOptions()
        var words = ["--method", method.rawValue + (residual.map { "+\($0.rawValue)" } ?? "")]
        let sparse = residual ?? method
        if sparse.drops { words += ["--drop", "\(drop)"] }
        if method == .lowrank { words += rank.map { ["--rank", "\($0)"] } ?? ["--energy", "\(energy)"] }
        if method == .transform {
            words += ["--quality", "\(quality)"]
            if deadZone != usual.deadZone { words += ["--dead-zone", "\(deadZone)"] }
            if curvature { words.append("--curvature") }
        }
        if sparse == .nm { words += ["--pattern", "\(n):\(m)"] }
        if isRandom, seed != usual.seed { words += ["--seed", "\(seed)"] }
        if case .value(let q) = rescale { words += ["--q", "\(q)"] }
        if case .factors(let table) = rescale {
            // Found factors are not told again, but the rule that found them.
            words.append("(q of \(table.count) tensors)")
        }
        if let values, method != .sign { words += ["--values", values.rawValue] }
        if group != usual.group { words += ["--group", "\(group)"] }
        if mask != usual.mask { words += ["--mask", mask.rawValue] }
        if scope != usual.scope { words += ["--scope", scope.rawValue] }
        if choice != usual.choice { words += ["--choose", choice.rawValue] }
        if vectors != usual.vectors { words += ["--vectors", vectors.rawValue] }
        if embeddings != usual.embeddings { words += ["--embeddings", embeddings.rawValue] }
        if heads != usual.heads { words += ["--heads", heads.rawValue] }
        if let only { words += ["--only", only] }
        if let except { words += ["--except", except] }
        return words.joined(separator: " ")
    }
}
