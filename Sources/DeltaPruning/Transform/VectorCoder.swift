/// Codes a vector as integers of one step, so that they cost as much squared error per bit as those of `TransformCoder`.
package struct VectorCoder: Sendable, Hashable {
    /// The step, in the units of the values; above 0.
    package let step: Float
    /// As that of `TransformCoder`.
    package let deadZone: Double

    /// Bits that a tensor takes besides its codes, as a record of the manifest and in the chunk table.
    private static let overhead = 240.0

    /// - Parameters:
    ///   - quality: c of the transform coder.
    ///   - weight: what a squared error costs.
    package init(quality: Float, weight: Double, deadZone: Double) {
        let step = Float(Double(quality) / weight.squareRoot())
        self.step = step > 0 && step.isFinite ? step : quality
        self.deadZone = deadZone
    }

    /// The integers, magnitudes below 2^24; nil if they are not worth their bits.
    package func code(_ values: Span<Float>) -> [Int32]? {
        let largest = values.indices.reduce(Float(0)) { max($0, values[$1].magnitude) }
        guard largest > 0, largest / step < 16_777_215 else { return nil }
        let real = DenseMatrix(rows: 1, columns: values.count, values: values.indices.map { values[$0] / step })
        let codes = CodeRounding(deadZone: deadZone).round(real, gains: [1], ErrorMetric(identity: values.count))
        var gain = 0.0
        for (value, code) in zip(real.values, codes.values) {
            gain += Double(value) * Double(value) - Double(value - code) * Double(value - code)
        }
        let bits = CodeLength.bits(mean: CodeRounding.mean(codes, 0), count: values.count) + VectorCoder.overhead
        guard gain > TransformCoder.price * bits else { return nil }
        return codes.values.map { Int32($0) }
    }
}
