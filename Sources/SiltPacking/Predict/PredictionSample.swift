internal import SiltReading
internal import DeltaCodecs
internal import DeltaKernels
internal import DeltaPruning
internal import Safetensors
internal import TensorTypes

/// A few cells of a tensor, on which steps of the transform coder are compared: the best step is a level of noise, and that
/// is much the same all over a matrix.
struct PredictionSample {
    /// Cells that are looked at: of narrow matrices fewer, which have enough rows even so.
    private static func limit(columns: Int) -> Int { columns <= 512 ? 2 : 4 }

    private let tensor: PackTensor
    private let cells: [Int]
    private let rows: Int
    private let columns: Int
    /// The delta of the cells' rows.
    private let values: [Float]
    /// Rows of the tensor for each that is looked at.
    private let share: Double

    init(_ tensor: PackTensor, _ delta: TensorDelta) throws(SiltError) {
        self.tensor = tensor
        columns = delta.columns
        let all = tensor.grid.cells(touching: tensor.segments[0].elements)
        let count = min(PredictionSample.limit(columns: delta.columns), all.count)
        cells = (0..<count).map { all.lowerBound + (2 * $0 + 1) * all.count / (2 * count) }
        var values: [Float] = []
        for cell in cells {
            let piece = tensor.grid.range(cell).clamped(to: tensor.segments[0].elements)
            let rows = piece.lowerBound / delta.columns..<piece.upperBound / delta.columns
            try unsafe values.append(contentsOf: UnsafeBufferPointer(start: delta.band(rows), count: piece.count))
        }
        rows = values.count / columns
        share = Double(delta.rows) / Double(max(1, rows))
        self.values = values
    }

    /// The number of the step with which factors and residual together take fewest bits; nil if none takes fewer than `bits`.
    ///
    /// - Parameter start: where to begin; bits fall and rise again from coarse steps to fine ones, since the factors' grow and
    ///   those of the residual shrink.
    func bestStep(
        bits: Double, startingAt start: Int?, _ workspace: PredictionSearch.Workspace
    ) throws(SiltError) -> Choice? {
        guard let right = try? RightDirections(values.span, rows: rows, columns: columns), right.energy > 0 else {
            return nil
        }
        let coarsest = Float(4 * (right.energy / Double(values.count)).squareRoot())
        var known: [Int: Double] = [:]
        func cost(_ number: Int) throws(SiltError) -> Double {
            if let cost = known[number] { return cost }
            var coder = TransformCoder(quality: PredictionSample.step(coarsest, number))
            // Fitted once, not in turn: it takes a few bits more at every step alike.
            coder.sweeps = 0
            let code = coder.code(values.span, right)
            let cost = code.rank > 0 ? try measure(code, workspace) : bits
            known[number] = cost
            return cost
        }
        var best = min(max(start ?? PredictionSample.usual, 0), PredictionSample.steps - 1)
        var least = try cost(best)
        for direction in [1, -1] {
            var next = best + direction
            while (0..<PredictionSample.steps).contains(next) {
                let found = try cost(next)
                // Where nothing is worth its bits yet, finer steps may find something.
                guard found < least || (direction > 0 && found == bits && least == bits) else { break }
                (best, least) = (next, found)
                next += direction
            }
        }
        return least < bits ? Choice(number: best, step: PredictionSample.step(coarsest, best)) : nil
    }

    /// A step, and its number among those that are tried.
    struct Choice: Sendable {
        let number: Int
        let step: Float
    }

    /// Steps that are tried, each 0.6 of the one before.
    ///
    /// The first is 4 root mean squares.
    private static let steps = 14
    /// The number of the step with which a search begins where nothing is known.
    private static let usual = 4

    private static func step(_ coarsest: Float, _ number: Int) -> Float {
        (0..<number).reduce(coarsest) { step, _ in step * 0.6 }
    }

    /// The bits that the whole tensor would take, judged by these cells.
    private func measure(_ code: TransformCode, _ workspace: PredictionSearch.Workspace) throws(SiltError) -> Double {
        let dtype = tensor.info.dtype
        guard let layout = dtype.floatLayout, let base = tensor.base else {
            throw tensor.fault("a tensor without a residual is predicted")
        }
        workspace.sums.reserve(4 * values.count)
        let sums = unsafe workspace.sums.start.bindMemory(to: Float.self, capacity: values.count)
        code.forEachBand { rows, band in
            let target = unsafe sums + rows.lowerBound * columns
            for index in band.indices { unsafe target[index] = band[index] }
        }
        var statistics = ResidualStatistics()
        var done = 0
        for cell in cells {
            let piece = tensor.grid.range(cell).clamped(to: tensor.segments[0].elements)
            let bytes = try unsafe tensor.read(piece, into: workspace.delta.result)
            guard let result = bytes.baseAddress else { throw tensor.fault("a cell is empty") }
            let patterns = try unsafe base.read(piece, as: dtype, workspace.delta.base)
            workspace.predicted.reserve(bytes.count)
            unsafe Prediction.apply(
                dtype, base: patterns, sum: UnsafePointer(sums + done), count: piece.count,
                into: workspace.predicted.start)
            done += piece.count
            unsafe workspace.residual.measure(
                layout, base: UnsafeRawPointer(workspace.predicted.start), result: result, count: piece.count,
                unit: tensor.segments[0].unit
            ) { statistics.add($0) }
        }
        // The left factor grows with the rows, the right one does not.
        let factors = code.estimatedBits * (share * Double(rows) + Double(columns)) / Double(rows + columns)
        return factors + share * statistics.idealBits(width: layout.width)
    }
}
