internal import CSiltKernels

/// How well a causal model foretells the next token.
package struct NextToken: Sendable {
    /// -log of the probability of each next token, in nats.
    package let losses: [Float]
    /// What each loss belongs to: the example in the data set, and the position of the token that foretells.
    package let places: [(example: Int, position: Int)]
    /// The mean of the losses.
    package let loss: Mean
    /// How often the likeliest token was the right one.
    package let top1: Mean

    /// Measures a batch whose logits are `logits`, a row for each token.
    ///
    /// A token counts if the one at the next position is no padding.
    package init(_ batch: TokenBatch, _ logits: LogitRows) {
        precondition(logits.rows == batch.tokens)
        var losses: [Float] = []
        var places: [(example: Int, position: Int)] = []
        var sum = 0.0
        var right = 0
        for sequence in 0..<batch.sequences {
            for token in batch.foretelling(sequence) {
                let next = Int(batch.ids[token + 1])
                let loss = logits.loss(token, next)
                sum += loss
                if logits.prediction(token) == next { right += 1 }
                losses.append(Float(loss))
                places.append((batch.examples.lowerBound + sequence, Int(batch.positions[token])))
            }
        }
        self.losses = losses
        self.places = places
        loss = Mean(sum: sum, count: losses.count)
        top1 = Mean(sum: Double(right), count: losses.count)
    }

    /// exp of the mean loss.
    package static func perplexity(_ loss: Mean) -> Double { silt_power(2.718_281_828_459_045, loss.value) }
}
