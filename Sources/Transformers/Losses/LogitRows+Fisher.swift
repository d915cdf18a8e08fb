internal import CSiltKernels
internal import DeltaKernels

extension LogitRows {
    /// Fills `gradient` with a random square root of each row's Fisher information F = diag(p) - p p': a row g with E g g' = F.
    ///
    /// g is the sum over labels of e_k sqrt(p_k) (gradient of -log p_k), with signs e_k of even chance. Unlike one label that is
    /// drawn, it does not miss the unlikely ones: of two labels, and one pass, the variance is smaller. Of one column, F is 1.
    package func fisherRoot(_ draw: LabelDraw, to gradient: UnsafeMutablePointer<Float>) {
        precondition(draw.rows.count == rows)
        guard columns > 1 else {
            for (index, row) in draw.rows.enumerated() { unsafe gradient[index] = draw.chance(row) < 0.5 ? 1 : -1 }
            return
        }
        unsafe gradient.update(from: start, count: rows * columns)
        unsafe silt_softmax(level, gradient, rows, columns)
        for (index, row) in draw.rows.enumerated() {
            let target = unsafe gradient + index * columns
            var sum: Float = 0
            var signs: [UInt32] = []
            for column in 0..<columns {
                if column % 128 == 0 { signs = draw.signs(row, block: column / 128) }
                let root = unsafe target[column].squareRoot()
                sum += signs[column % 128 / 32] >> UInt32(column % 32) & 1 == 0 ? root : -root
            }
            // With p in place, g = p sum - e sqrt(p).
            for column in 0..<columns {
                if column % 128 == 0 { signs = draw.signs(row, block: column / 128) }
                let probability = unsafe target[column]
                let root = probability.squareRoot()
                let isNegative = signs[column % 128 / 32] >> UInt32(column % 32) & 1 != 0
                unsafe target[column] = probability * sum - (isNegative ? -root : root)
            }
        }
    }
}
