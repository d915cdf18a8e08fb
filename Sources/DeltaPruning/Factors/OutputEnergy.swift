/// How a delta's elements add up in the outputs of its layer: what says in advance whether random dropping can work.
///
/// From the mean and variance of the error (`DroppingTheory`), averaged over inputs, the best factor of a row is
/// q = (1 - p) + p Q / S^2, and that of a layer has both summed over rows. R = Q / S^2 is near 1 where inputs do not tell
/// a delta from noise, and small where they line up with it: only then is anything to be gained over leaving out the
/// whole delta, since the least relative error is p R / ((1 - p) + p R).
package struct OutputEnergy: Sendable, Hashable {
    /// Q_i: the mean over inputs of the sum of the squared contributions of row i.
    package let elements: [Double]
    /// S_i^2: the mean square of output i.
    package let outputs: [Double]

    /// No factor is larger; this one leaves out the delta as well as any.
    package static let largestFactor = 1_024.0

    /// S_i^2 that is less than this much of Q_i is what F32 products leave of 0, and counts as 0.
    private static let noise = 0x1p-20

    /// The energies of a delta of `rows` x K.
    ///
    /// Nil without a Gram matrix: its diagonal would say that R is 1.
    package init?(delta: Span<Float>, rows: Int, statistics: InputStatistics) {
        guard statistics.hasGram, statistics.count > 0 else { return nil }
        let elements = statistics.elementForms(delta, rows: rows)
        outputs = zip(statistics.forms(delta, rows: rows), elements).map { output, elements in
            output < OutputEnergy.noise * elements ? 0 : output
        }
        self.elements = elements
    }

    /// R of the layer; nil if its outputs are all 0 or not finite.
    package var ratio: Double? {
        let (elements, outputs) = (elements.reduce(0, +), outputs.reduce(0, +))
        guard outputs > 0, outputs.isFinite, elements.isFinite else { return nil }
        return elements / outputs
    }

    /// The factor of least squared error for the layer: 1 - p where there is no output.
    package func factor(drop: Double) -> Double {
        OutputEnergy.factor(elements.reduce(0, +), outputs.reduce(0, +), drop)
    }

    /// The factor of least squared error for each row.
    package func rowFactors(drop: Double) -> [Double] {
        outputs.indices.map { OutputEnergy.factor(elements[$0], outputs[$0], drop) }
    }

    /// The expected squared error of the layer's outputs over their own square, at factor q.
    package func relativeError(factor: Double, drop: Double) -> Double {
        OutputEnergy.relativeError(elements.reduce(0, +), outputs.reduce(0, +), factor, drop)
    }

    /// The same for each row, each with its own factor.
    package func rowRelativeErrors(factors: [Double], drop: Double) -> [Double] {
        outputs.indices.map { OutputEnergy.relativeError(elements[$0], outputs[$0], factors[$0], drop) }
    }

    private static func factor(_ elements: Double, _ outputs: Double, _ drop: Double) -> Double {
        let keep = 1 - drop
        guard outputs > 0, outputs.isFinite, elements > 0, elements.isFinite else { return keep }
        return min(max(keep + drop * (elements / outputs), keep), largestFactor)
    }

    private static func relativeError(
        _ elements: Double, _ outputs: Double, _ factor: Double, _ drop: Double
    ) -> Double {
        guard elements > 0 else { return 0 }
        guard outputs > 0, factor > 0 else { return .infinity }
        let bias = DroppingTheory.bias(sum: 1, factor: factor, drop: drop)
        return bias * bias + DroppingTheory.variance(squares: elements / outputs, factor: factor, drop: drop)
    }
}
