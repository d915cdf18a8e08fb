internal import TensorTypes
internal import DeltaKernels

/// The state of `TransformCoder.code`: integer factors that are fitted in turn.
///
/// All is in units of c. D / c is about the sum of left_k' (unit_k right_k) with unit_k = s_k / c, which is about
/// c / sigma_k; so rows unit_k right_k and unit_k left_k have norms of about 1, and Gram matrices are close to the
/// identity, however steep the spectrum.
///
/// With a curvature, norms and Gram matrices are those of whitened rows, and a step is c in units of the metric's scale.
struct TransformFit {
    private let coder: TransformCoder
    private let rounding: CodeRounding
    private let curvature: Curvature
    /// R.
    private let rows: Int
    /// c, or more if codes would not stay below 2^24.
    private let step: Float
    /// s_k / c; s_k is exact in BF16.
    private var units: [Float]
    /// Integer codes: r x R and r x K.
    private var left: DenseMatrix
    private var right: DenseMatrix
    /// Of the last `fitLeft`: (unit_i right_i) G (unit_j right_j)', r x r.
    private var gram = DenseMatrix(rows: 0, columns: 0)
    /// Of the last `fitLeft`: (unit_k right_k) G (D / c)', r x R.
    private var projection = DenseMatrix(rows: 0, columns: 0)

    /// Components that are left.
    var rank: Int { units.count }

    /// Begins with the quantised right factor; nil if no component is large enough.
    init?(_ coder: TransformCoder, _ start: RightDirections, _ curvature: Curvature) {
        precondition(start.rows == curvature.rows.size && start.columns == curvature.columns.size)
        self.coder = coder
        self.curvature = curvature
        rows = start.rows
        rounding = CodeRounding(deadZone: coder.deadZone)
        let largest = start.sigma.first ?? 0
        // The smallest scale is step^2 / sigma_1; it must not be subnormal.
        let least = largest.squareRoot() * Float.leastNormalMagnitude.squareRoot()
        let step = max(coder.quality, largest / TransformCoder.finest, least)
        self.step = step
        let floor = max(
            coder.leastSigma(rows: start.rows, columns: start.columns), .leastNormalMagnitude)
        let limit = Grid.factorLimit / max(start.rows, start.columns, 1)
        let count = min(start.sigma.prefix { $0 >= floor }.count, limit)
        let sigma = start.sigma.prefix(count)
        let (rowScale, columnScale) = (curvature.rows.scale, curvature.columns.scale)
        units = sigma.map { FloatConversion.brain(step * (step / $0) / rowScale / columnScale) / step }
        left = DenseMatrix(rows: 0, columns: start.rows)
        right = curvature.columns.unwhitened(
            start.directions.prefix(count).scaled(sigma.map { $0 / step * columnScale }))
        right = rounding.round(right, gains: [Float](repeating: 1, count: count), curvature.columns)
        keep((0..<count).filter { units[$0] > 0 && units[$0].isFinite && TransformFit.isUsed(right, $0) })
        guard rank > 0 else { return nil }
    }

    /// Fits the left factor to the right one by least squares, and rounds it.
    mutating func fitLeft<Failure>(_ bands: RowBands<Failure>) throws(Failure) {
        let scaled = right.scaled(units)
        // Both have as many elements as the left factor itself: what was there before makes room.
        projection = DenseMatrix(rows: 0, columns: rows)
        left = projection
        projection = try curvature.columns.applied(scaled).timesTransposed(bands)
            .scaled([Float](repeating: 1 / step, count: rank))
        gram = curvature.columns.gram(scaled)
        left = round(TransformFit.solve(gram, projection), gram, curvature.rows)
        keep((0..<rank).filter { TransformFit.isUsed(left, $0) })
    }

    /// Fits the right factor to the left one by least squares, and rounds it.
    mutating func fitRight<Failure>(_ bands: RowBands<Failure>) throws(Failure) {
        let scaled = left.scaled(units)
        let target = try curvature.rows.applied(scaled).times(bands)
            .scaled([Float](repeating: 1 / step, count: rank))
        let gram = curvature.rows.gram(scaled)
        right = round(TransformFit.solve(gram, target), gram, curvature.columns)
        keep((0..<rank).filter { TransformFit.isUsed(right, $0) })
    }

    /// Drops components that remove too little squared error for their bits; to be called after `fitLeft`.
    mutating func dropUnworthy() {
        let (normal, moments) = normalEquations
        let worthy = (0..<rank).filter { component in
            // What the squared error, in units of c^2, would be more without this component, the others unchanged.
            var fitted = 0.0
            for index in normal.range(component) { fitted += Double(normal.values[index]) }
            let own = Double(normal.values[component * rank + component])
            let gain = own + 2 * (Double(moments[component]) - fitted)
            return gain > coder.toll * TransformCoder.price * bits(component)
        }
        keep(worthy)
    }

    /// Fits the scales to both factors by least squares: what rounding towards zero took off comes back.
    mutating func fitScales() {
        guard rank > 0 else { return }
        let (normal, moments) = normalEquations
        let right = DenseMatrix(rows: rank, columns: 1, values: moments)
        guard let solution = TransformFit.damped(normal).solve(right) else { return }
        for component in 0..<rank where 0.5...2 ~= solution.values[component] {
            let scale = FloatConversion.brain(solution.values[component] * units[component] * step)
            if scale > 0, scale.isFinite { units[component] = scale / step }
        }
    }

    /// The stored form, at the end of all fitting.
    mutating func finished() -> TransformCode {
        projection = DenseMatrix(rows: 0, columns: rows)
        return TransformCode(
            rows: rows, columns: right.columns, left: left.values.map { Int32($0) },
            right: right.values.map { Int32($0) }, scales: units.map { FloatConversion.brain($0 * step) })
    }

    /// The equations `normal` x = `moments` for factors x_k to the scales; both in units of c^2.
    private var normalEquations: (normal: DenseMatrix, moments: [Float]) {
        var normal = curvature.rows.gram(left)
        for index in normal.values.indices { normal.values[index] *= gram.values[index] }
        let weighted = curvature.rows.applied(left)
        return (normal, (0..<rank).map { weighted.dot($0, projection) })
    }

    /// Bits that a component takes, about.
    private func bits(_ component: Int) -> Double {
        CodeLength.bits(mean: CodeRounding.mean(left, component), count: left.columns)
            + CodeLength.bits(mean: CodeRounding.mean(right, component), count: right.columns) + CodeLength.overhead
    }

    /// Rounds what was fitted to a factor with this Gram matrix.
    private func round(_ real: consuming DenseMatrix, _ gram: DenseMatrix, _ metric: ErrorMetric) -> DenseMatrix {
        let scale = metric.scale * metric.scale
        return rounding.round(real, gains: TransformFit.diagonal(gram).map { $0 * scale }, metric)
    }

    /// Keeps the components `kept`, ascending, in every part of the state.
    private mutating func keep(_ kept: [Int]) {
        guard kept.count < rank else { return }
        if gram.rows == rank {
            gram = DenseMatrix(
                rows: kept.count, columns: kept.count,
                values: kept.flatMap { row in kept.map { gram.values[row * rank + $0] } })
            projection.keepRows(kept)
        }
        units = kept.map { units[$0] }
        // Empty before it is fitted.
        if left.rows > 0 { left.keepRows(kept) }
        right.keepRows(kept)
    }

    /// Whether a row has an element that is not zero.
    private static func isUsed(_ codes: DenseMatrix, _ row: Int) -> Bool {
        codes.values[codes.range(row)].contains { $0 != 0 }
    }

    private static func diagonal(_ matrix: DenseMatrix) -> [Float] {
        (0..<matrix.rows).map { matrix.values[$0 * matrix.columns + $0] }
    }

    /// A little more on the diagonal: rows of few integers may coincide, and then any division between them will do.
    private static func damped(_ matrix: DenseMatrix) -> DenseMatrix {
        var matrix = matrix
        for row in 0..<matrix.rows { matrix.values[row * matrix.columns + row] *= 1.000_02 }
        return matrix
    }

    /// The solution of symmetric equations; without regard to what is off the diagonal if they have none.
    private static func solve(_ gram: DenseMatrix, _ right: DenseMatrix) -> DenseMatrix {
        damped(gram).solve(right) ?? right.scaled(diagonal(gram).map { $0 > 0 ? 1 / $0 : 0 })
    }
}
