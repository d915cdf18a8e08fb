/// What a bias must take up so that the mean output of a layer stays what it was.
package enum BiasCorrection {
    /// To be added to the bias of output i: the sum over j of (delta - rebuilt)_ij times the mean of input j.
    ///
    /// - Parameter delta: D, rows x K, row-major.
    /// - Parameter rebuilt: what a file makes of it, of the same shape, rescaled.
    /// - Parameter means: of the K inputs, signed.
    package static func correction(
        delta: Span<Float>, rebuilt: Span<Float>, rows: Int, means: [Double]
    ) -> [Float] {
        let columns = means.count
        precondition(delta.count == rows * columns && rebuilt.count == rows * columns)
        return (0..<rows).map { row in
            var sum = 0.0
            for column in 0..<columns {
                let index = row * columns + column
                sum += (Double(delta[index]) - Double(rebuilt[index])) * means[column]
            }
            return Float(sum)
        }
    }
}
