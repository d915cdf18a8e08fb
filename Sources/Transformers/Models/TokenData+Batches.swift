package import TensorTypes

extension TokenData {
    /// All examples in their order, in batches of at most `tokens` tokens each, or of one example that has more.
    ///
    /// Throws what `check(for:)` throws.
    package func batches(tokens: Int, for model: TransformerModel) throws(SiltError) -> [TokenBatch] {
        try check(for: model)
        var batches: [TokenBatch] = []
        var first = 0
        var sum = 0
        for example in 0..<count {
            let own = mask[example * length..<(example + 1) * length].count { $0 }
            if example > first, sum + own > tokens {
                batches.append(batch(first..<example, model.configuration))
                (first, sum) = (example, 0)
            }
            sum += own
        }
        if first < count { batches.append(batch(first..<count, model.configuration)) }
        return batches
    }

    private func batch(_ examples: Range<Int>, _ configuration: ModelConfiguration) -> TokenBatch {
        var ids: [Int32] = []
        var positions: [Int32] = []
        var types: [Int32] = []
        var offsets = [0]
        var pooled: [Int32] = []
        let padding = configuration.padding.map { Int32($0) }
        for example in examples {
            let start = ids.count
            var last = start
            // RoBERTa counts the tokens that are not the padding token, from its id on, and gives that id to the others.
            var counted = Int32(configuration.padding ?? 1)
            for index in 0..<length {
                let element = example * length + index
                let isPadding = self.ids[element] == padding
                if !isPadding { counted += 1 }
                guard mask[element] else { continue }
                if !isPadding { last = ids.count }
                ids.append(self.ids[element])
                types.append(self.types.isEmpty ? 0 : self.types[element])
                positions.append(
                    configuration.family.isRoberta
                        ? (isPadding ? padding ?? 1 : counted) : Int32(index))
            }
            offsets.append(ids.count)
            pooled.append(Int32(configuration.family.isDecoder ? last : start))
        }
        return TokenBatch(
            examples: examples, ids: ids, positions: positions, types: types, offsets: offsets, pooled: pooled,
            positionEnd: Int(positions.max() ?? -1) + 1)
    }
}
