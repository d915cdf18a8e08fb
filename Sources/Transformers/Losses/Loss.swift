/// What a batch's logits ought to be: how far they are from it, and their gradient.
///
/// Every loss is a sum of terms, so that parts of a data set add up: who wants the mean divides by the number of terms of all.
package enum Loss {
    /// -log of the probability of each row's class, a term for each row.
    case classes([Int])
    /// (logit - value)^2, a term for each row; the model has one logit.
    case values([Float])
    /// -log of the probability of the next token, a term for each token whose next one is no padding: `NextToken`.
    case nextToken(TokenBatch)
    /// The Kullback-Leibler divergence from the distributions of these logits, a term for each row: `LogitRows.divergence`.
    ///
    /// With one logit it is half the squared difference.
    case divergence(LogitRows)
    /// (logit - reference)^2 where the reference's `count` largest logits of each row are, a term for each of these: the
    /// published objective of gradient q (DAREx) with 5.
    case largestLogits(LogitRows, count: Int = 5)
    /// -log of the probability of a class that the model itself draws for each row, a term for each row: the mean of the
    /// gradients' products over all draws is the Fisher information.
    case drawn(LabelDraw)

    /// The loss of a task: of classes or values the data name, or of the next token.
    ///
    /// - Returns: nil if the head has no loss, or no labels of its kind.
    package static func task(_ head: ModelHead, _ labels: Labels?, _ batch: TokenBatch) -> Loss? {
        switch (head, labels) {
        case (.causal, _): .nextToken(batch)
        case (.classifier, .classes(let classes)): .classes(Array(classes[batch.examples]))
        case (.regression, let labels?): .values(labels.numbers[batch.examples].map { Float($0) })
        default: nil
        }
    }

    /// Fills `gradient`, of the shape of the logits, with `scale` times the gradient of the sum of the terms.
    ///
    /// - Returns: the sum, in binary64, and how many terms it has.
    /// - Precondition: labels and references have as many rows as the logits, and classes are below their columns.
    package func measure(_ logits: LogitRows, scale: Float, to gradient: UnsafeMutablePointer<Float>) -> Mean {
        switch self {
        case .classes(let classes):
            precondition(classes.count == logits.rows)
            return unsafe logits.crossEntropy(classes, scale, gradient)
        case .values(let values):
            precondition(values.count == logits.rows && logits.columns == 1)
            var sum = 0.0
            for (row, value) in values.enumerated() {
                let difference = unsafe logits.start[row] - value
                unsafe gradient[row] = 2 * scale * difference
                sum += Double(difference) * Double(difference)
            }
            return Mean(sum: sum, count: values.count)
        case .nextToken(let batch):
            precondition(batch.tokens == logits.rows)
            var labels = [Int](repeating: -1, count: logits.rows)
            for sequence in 0..<batch.sequences {
                for token in batch.foretelling(sequence) { labels[token] = Int(batch.ids[token + 1]) }
            }
            return unsafe logits.crossEntropy(labels, scale, gradient)
        case .divergence(let reference): return unsafe logits.divergence(from: reference, scale, gradient)
        case .largestLogits(let reference, let count):
            return unsafe logits.squares(from: reference, count, scale, gradient)
        case .drawn(let draw): return unsafe logits.drawn(draw, scale, gradient)
        }
    }

    /// How many terms a batch has whose logits have `columns` columns; `measure` counts as many.
    package func terms(columns: Int) -> Int {
        switch self {
        case .classes(let classes): classes.count
        case .values(let values): values.count
        case .nextToken(let batch): (0..<batch.sequences).reduce(0) { $0 + batch.foretelling($1).count }
        case .divergence(let reference): reference.rows
        case .largestLogits(let reference, let count): reference.rows * min(count, columns)
        case .drawn(let draw): draw.rows.count
        }
    }
}
