package import DeltaPruning
package import SiltFormat
package import TensorTypes

/// What calibration found out about a pair, beside the options that it chose; the packer needs both.
package struct LossyTuning: Sendable {
    /// Norms of a linear layer's inputs.
    package struct InputNorms: Sendable {
        /// One for each input, at least 0.
        package let values: [Double]
        /// Whether the matrix has a row for each input (GPT-2) instead of a column.
        package let isTransposed: Bool

        package init(values: [Double], isTransposed: Bool) {
            (self.values, self.isTransposed) = (values, isTransposed)
        }

        /// WANDA's choice: the elements with the largest |delta| times norm of their input, of each output the same share.
        ///
        /// nil if the norms are not this matrix's.
        package func mask(_ delta: Span<Float>, _ keep: Double, columns: Int) -> Bitset? {
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
    package var norms: [String: InputNorms] = [:]
    /// What errors cost the model's answers; nil without.
    package var curvature: CurvatureStatistics?
    /// What is added to the delta of a bias, so that the layer's mean output stays: by the name of the bias.
    package var corrections: [String: [Float]] = [:]
    /// What the file tells people of how it was tuned.
    package var notes: [(name: String, value: String)] = []
    /// What was measured.
    package var evaluations: [EvaluationRecord] = []

    package init(
        norms: [String: InputNorms] = [:], curvature: CurvatureStatistics? = nil, corrections: [String: [Float]] = [:],
        notes: [(name: String, value: String)] = [], evaluations: [EvaluationRecord] = []
    ) {
        self.norms = norms
        self.curvature = curvature
        self.corrections = corrections
        self.notes = notes
        self.evaluations = evaluations
    }
}
