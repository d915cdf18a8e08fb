internal import COpenBLAS
internal import CSiltKernels

/// Sums of losses over rows, and `scale` times their gradients.
extension LogitRows {
    /// -log of the probabilities of `labels`; rows with a label below 0 do not count.
    func crossEntropy(_ labels: [Int], _ scale: Float, _ gradient: UnsafeMutablePointer<Float>) -> Mean {
        unsafe probabilities(to: gradient)
        var (sum, count) = (0.0, 0)
        for (index, label) in labels.enumerated() {
            let target = unsafe gradient + index * columns
            guard label >= 0 else {
                unsafe target.update(repeating: 0, count: columns)
                continue
            }
            sum += loss(index, label)
            count += 1
            unsafe target[label] -= 1
            unsafe cblas_sscal(Int32(columns), scale, target, 1)
        }
        return Mean(sum: sum, count: count)
    }

    /// The Kullback-Leibler divergence from the distributions of `reference`; of one column, half the squared difference.
    func divergence(
        from reference: LogitRows, _ scale: Float, _ gradient: UnsafeMutablePointer<Float>
    ) -> Mean {
        if columns == 1 {
            let squares = unsafe squares(from: reference, 1, scale / 2, gradient)
            return Mean(sum: squares.sum / 2, count: squares.count)
        }
        unsafe probabilities(to: gradient)
        let expected = FloatBuffer()
        expected.resize(columns)
        for index in 0..<rows {
            let target = unsafe gradient + index * columns
            unsafe expected.copy(reference.row(index), count: columns)
            unsafe silt_softmax(level, expected.start, 1, columns)
            unsafe cblas_saxpy(Int32(columns), -1, expected.start, 1, target, 1)
            unsafe cblas_sscal(Int32(columns), scale, target, 1)
        }
        return reference.divergence(self)
    }

    /// The squared difference to `reference` where its `count` largest values of each row are.
    func squares(
        from reference: LogitRows, _ count: Int, _ scale: Float, _ gradient: UnsafeMutablePointer<Float>
    ) -> Mean {
        precondition(rows == reference.rows && columns == reference.columns)
        unsafe gradient.update(repeating: 0, count: rows * columns)
        var largest: [Int] = []
        for index in 0..<rows {
            let (mine, wanted) = unsafe (row(index), reference.row(index))
            reference.findLargest(count, in: index, to: &largest)
            for column in largest {
                unsafe gradient[index * columns + column] = 2 * scale * (mine[column] - wanted[column])
            }
        }
        return reference.squaredDifference(self, atLargest: count)
    }

    /// -log of the probabilities of labels that are drawn from these logits' own distributions.
    ///
    /// Of one column, half the squared difference to a value that is 1 above or below with even chance: like a normal
    /// distribution's of variance 1, the mean of its squared gradient is 1.
    func drawn(_ draw: LabelDraw, _ scale: Float, _ gradient: UnsafeMutablePointer<Float>) -> Mean {
        precondition(draw.rows.count == rows)
        if columns == 1 {
            for (index, row) in draw.rows.enumerated() {
                unsafe gradient[index] = draw.chance(row) < 0.5 ? -scale : scale
            }
            return Mean(sum: Double(rows) / 2, count: rows)
        }
        unsafe probabilities(to: gradient)
        let labels = draw.rows.enumerated().map { index, row in
            let probabilities = unsafe gradient + index * columns
            let chance = draw.chance(row)
            var (label, sum) = (0, unsafe Double(probabilities[0]))
            // Rounding may leave the sum a little below 1: then it is the last column.
            while sum <= chance, label + 1 < columns {
                label += 1
                unsafe sum += Double(probabilities[label])
            }
            return label
        }
        return unsafe crossEntropy(labels, scale, gradient)
    }

    private func probabilities(to target: UnsafeMutablePointer<Float>) {
        unsafe target.update(from: start, count: rows * columns)
        unsafe silt_softmax(level, target, rows, columns)
    }
}
