internal import DeltaCodecs
internal import DeltaKernels
internal import DeltaPruning
internal import Safetensors
internal import TensorTypes

/// A few cells of a tensor, on which steps of the transform coder are compared: the best step is a level of noise, and that
/// is much the same all over a matrix.
struct PredictionSample {
    /// Cells that are looked at.
    private static let limit = 4

    private let tensor: TensorTask
    private let cells: [Int]
    private let rows: Int
    private let columns: Int
    /// The delta of the cells' rows.
    private let values: [Float]
    /// Rows of the tensor for each that is looked at.
    private let share: Double

    init(_ tensor: TensorTask, _ delta: TensorDelta) {
        self.tensor = tensor
        columns = delta.columns
        let all = tensor.grid.cells(touching: tensor.segments[0].elements)
        let count = min(PredictionSample.limit, all.count)
        cells = (0..<count).map { all.lowerBound + (2 * $0 + 1) * all.count / (2 * count) }
        var values: [Float] = []
        for cell in cells {
            let piece = tensor.grid.range(cell).clamped(to: tensor.segments[0].elements)
            unsafe values.append(
                contentsOf: UnsafeBufferPointer(start: delta.values + piece.lowerBound, count: piece.count))
        }
        rows = values.count / columns
        share = Double(delta.rows) / Double(max(1, rows))
        self.values = values
    }

    /// The step with which factors and residual together take fewest bits; nil if none takes fewer than `bits`.
    func bestStep(bits: Double, _ worker: PackWorker) throws(SiltError) -> Float? {
        guard let decomposition = try? Decomposition(exact: values.span, rows: rows, columns: columns),
            decomposition.energy > 0
        else { return nil }
        // From coarse to fine, until it gets worse: the factors' bytes grow, those of the residual shrink.
        var best: (step: Float, bits: Double)?
        var worse = 0
        var step = Float(4 * (decomposition.energy / Double(values.count)).squareRoot())
        for _ in 0..<14 {
            defer { step *= 0.6 }
            let code = TransformCoder(quality: step).code(values.span, decomposition)
            guard code.rank > 0 else { continue }
            let found = try measure(code, worker)
            if found < min(best?.bits ?? bits, bits) {
                best = (step, found)
                worse = 0
            } else {
                worse += 1
                if worse == 2 { break }
            }
        }
        return best?.step
    }

    /// The bits that the whole tensor would take, judged by these cells.
    private func measure(_ code: TransformCode, _ worker: PackWorker) throws(SiltError) -> Double {
        let dtype = tensor.info.dtype
        guard let layout = dtype.floatLayout, let base = tensor.base else { return .infinity }
        worker.planes.reserve(4 * values.count)
        let sums = unsafe worker.planes.start.bindMemory(to: Float.self, capacity: values.count)
        code.forEachBand { rows, band in
            let target = unsafe sums + rows.lowerBound * columns
            for index in band.indices { unsafe target[index] = band[index] }
        }
        var statistics = ResidualStatistics()
        var done = 0
        for cell in cells {
            let piece = tensor.grid.range(cell).clamped(to: tensor.segments[0].elements)
            let bytes = try unsafe tensor.read(piece, into: worker.result)
            guard let result = bytes.baseAddress else { continue }
            let patterns = try unsafe worker.base.read(base.tensor, piece, as: dtype, hashing: false).patterns
            worker.rebuilt.reserve(bytes.count)
            unsafe Prediction.apply(
                dtype, base: patterns, sum: UnsafePointer(sums + done), count: piece.count, into: worker.rebuilt.start)
            done += piece.count
            unsafe worker.residual.measure(
                layout, base: UnsafeRawPointer(worker.rebuilt.start), result: result, count: piece.count,
                unit: tensor.segments[0].unit
            ) { statistics.add($0) }
        }
        // The left factor grows with the rows, the right one does not.
        let factors = code.estimatedBits * (share * Double(rows) + Double(columns)) / Double(rows + columns)
        return factors + share * statistics.idealBits(width: layout.width)
    }
}
