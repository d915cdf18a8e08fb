extension TransformerModel {
    /// The names of all tensors that the model computes with, each once, in the order in which they take part.
    ///
    /// A checkpoint may have others.
    package var parameterNames: [String] {
        var seen: Set<String> = []
        let all = embedding.parameters + body.flatMap(\.parameters) + last.parameters
        return all.map(\.name).filter { seen.insert($0).inserted }
    }
}

extension Linear {
    fileprivate var parameters: [Parameter] { [weight] + (bias.map { [$0] } ?? []) }
}

extension Norm {
    fileprivate var parameters: [Parameter] { [gain] + (bias.map { [$0] } ?? []) }
}

extension Embedding {
    fileprivate var parameters: [Parameter] {
        [tokens] + [positions, types].compactMap { $0 } + (norm?.parameters ?? [])
    }
}

extension Block {
    fileprivate var parameters: [Parameter] {
        let attention: [Linear]
        switch projections {
        case .fused(let linear): attention = [linear]
        case .separate(let queries, let keys, let values): attention = [queries, keys, values]
        }
        let linears = attention + [attentionOutput] + (gate.map { [$0] } ?? []) + [up, down]
        let norms = [attentionNorm, feedForwardNorm] + (headNorms.map { [$0.queries, $0.keys] } ?? [])
        return linears.flatMap(\.parameters) + norms.flatMap(\.parameters)
    }
}

extension Head {
    fileprivate var parameters: [Parameter] {
        (norm?.parameters ?? []) + (dense?.layer.parameters ?? []) + (output?.parameters ?? [])
    }
}
