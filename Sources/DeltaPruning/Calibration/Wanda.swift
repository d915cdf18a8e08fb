package import TensorTypes

/// Importance-based pruning with calibration data: the largest |delta_ij| times the norm of input j stay (WANDA, as in
/// table 6 of the DAREx paper).
///
/// Scores are compared in F32, scaled so that they neither overflow nor, unless 2^200 times smaller than the largest,
/// vanish. As with `Magnitude`, scores of zero never stay, and among equals the lower index goes first. An input of norm
/// 0 was never seen: nothing can be said for its elements, and they go. A norm that is not finite counts as the largest
/// that is.
package enum Wanda {
    /// The same share of each row, as many elements as `Magnitude.quota` says: WANDA's own scope.
    ///
    /// - Parameter values: rows x K, row-major, finite.
    /// - Parameter norms: of the K inputs; only their ratios count.
    package static func top(share: Double, ofEachRow values: Span<Float>, norms: [Double]) -> Bitset {
        var mask = Bitset(count: values.count)
        let weights = weights(values, norms)
        forEachBlock(values, weights) { scores, word in
            let block = Magnitude.top(share: share, ofEachRow: scores.span, columns: weights.count)
            for index in block.words.indices { mask.words[word + index] = block.words[index] }
        }
        return mask
    }

    /// The `count` largest of a tensor.
    package static func top(_ count: Int, of values: Span<Float>, norms: [Double]) -> Bitset {
        var mask = Bitset(count: values.count)
        let weights = weights(values, norms)
        var search = MagnitudeSearch(keeping: count)
        forEachBlock(values, weights) { scores, _ in search.count(scores.span) }
        search.narrow()
        forEachBlock(values, weights) { scores, _ in search.refine(scores.span) }
        var threshold = search.threshold()
        forEachBlock(values, weights) { scores, word in
            let block = threshold.mask(scores.span)
            for index in block.words.indices { mask.words[word + index] = block.words[index] }
        }
        return mask
    }

    /// Norms that are finite, scaled.
    private static func weights(_ values: Span<Float>, _ norms: [Double]) -> [Double] {
        precondition(norms.isEmpty ? values.isEmpty : values.count % norms.count == 0)
        let largestNorm = norms.reduce(0) { $1.isFinite ? max($0, $1.magnitude) : $0 }
        let replacement = largestNorm > 0 ? largestNorm : 1
        var largest: Float = 0
        for index in values.indices { largest = max(largest, values[index].magnitude) }
        guard largest > 0 else { return norms.map { _ in 0 } }
        // The largest score is about 2^100.
        let exponent = 100 - Int(largest.exponent) - Int(replacement.exponent)
        return norms.map { norm in
            let norm = norm.isFinite ? norm.magnitude : replacement
            return Double(sign: .plus, exponent: exponent, significand: norm)
        }
    }

    /// Gives the scores of a few rows at a time, and the word of the mask where they begin.
    private static func forEachBlock(
        _ values: Span<Float>, _ weights: [Double], _ body: (_ scores: [Float], _ word: Int) -> Void
    ) {
        guard !weights.isEmpty else { return }
        // A multiple of 64 rows, so that every block begins with a word.
        let size = 64 * max(1, 4_096 / weights.count) * weights.count
        var scores: [Float] = []
        for start in stride(from: 0, to: values.count, by: size) {
            let count = min(size, values.count - start)
            if scores.count != count { scores = [Float](repeating: 0, count: count) }
            for row in stride(from: 0, to: count, by: weights.count) {
                for column in weights.indices {
                    let value = values[start + row + column]
                    scores[row + column] = Float(Double(value.magnitude) * weights[column])
                }
            }
            body(scores, start / 64)
        }
    }
}
