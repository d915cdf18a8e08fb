internal import DeltaPruning
internal import SiltFormat
internal import TensorTypes

/// What calibration found out about a pair, beside the options that it chose; the packer needs both.
struct LossyTuning: Sendable {
    /// Norms of a linear layer's inputs.
    struct InputNorms: Sendable {
        /// One for each input, at least 0.
        let values: [Double]
        /// Whether the matrix has a row for each input (GPT-2) instead of a column.
        let isTransposed: Bool

        /// WANDA's choice: the elements with the largest |delta| times norm of their input, of each output the same share.
        ///
        /// nil if the norms are not this matrix's.
        func mask(_ delta: Span<Float>, _ keep: Double, columns: Int) -> Bitset? {
            guard columns > 0, delta.count % columns == 0 else { return nil }
            let rows = delta.count / columns
            guard values.count == (isTransposed ? rows : columns) else { return nil }
            guard isTransposed else { return Wanda.top(share: keep, ofEachRow: delta, norms: values) }
            var turned = [Float](repeating: 0, count: delta.count)
            for row in 0..<rows {
                for column in 0..<columns { turned[column * rows + row] = delta[row * columns + column] }
            }
            let kept = Wanda.top(share: keep, ofEachRow: turned.span, norms: values)
            var mask = Bitset(count: delta.count)
            for index in 0..<delta.count where kept[index] { mask[index % rows * columns + index / rows] = true }
            return mask
        }
    }

    /// By the name of the layer's weight.
    var norms: [String: InputNorms] = [:]
    /// What errors cost the model's answers; nil without.
    var curvature: CurvatureStatistics?
    /// What is added to the delta of a bias, so that the layer's mean output stays: by the name of the bias.
    var corrections: [String: [Float]] = [:]
    /// What the file tells people of how it was tuned.
    var notes: [(name: String, value: String)] = []
    /// What was measured.
    var evaluations: [EvaluationRecord] = []
}
