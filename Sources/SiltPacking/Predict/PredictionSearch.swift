internal import SiltReading
internal import DeltaCodecs
internal import DeltaKernels
internal import DeltaPruning
internal import Safetensors
internal import SiltFormat
internal import TensorTypes

/// Looks for a low-rank prediction over which a tensor's exact residual takes fewer bytes: merged adapters, and deltas that
/// are nearly low rank anyway.
///
/// Nothing is assumed: what is chosen has been measured to be smaller, factors counted.
struct PredictionSearch: Sendable {
    /// Smaller tensors share tables with others and are not worth a decomposition.
    private static let leastElements = 32_768
    /// Larger ones would take too much memory at once.
    private static let mostElements = 3 << 24
    /// From so many bytes of memory on, one tensor at a time is searched.
    private static let largeMemory = 1 << 26
    /// Rows that are looked at before the whole is decomposed, the share of directions that must hold `energy` of them.
    private static let sampleRows = 128
    private static let share = 8
    private static let energy = 0.5
    /// Directions that are looked for where the smaller extent is above `Decomposition.exactExtent`.
    private static let leading = 96
    /// Matrices of more elements are fitted once, not in turn.
    private static let fullElements = 1 << 22

    /// Buffers of one worker.
    final class Workspace {
        let delta = DeltaBuffers()
        let predictor = Predictor.Workspace()
        let residual = ResidualEncoder.Workspace()
        /// Sums of a sample, and the elements that they predict.
        let sums = ByteBuffer(), predicted = ByteBuffer()
    }

    /// Whether a tensor may have a prediction at all.
    static func isCandidate(_ tensor: PackTensor, _ measured: Measured.Tensor) -> Bool {
        guard let segment = tensor.segments.first, segment.hasBase, tensor.info.dtype.isPredictable,
            tensor.info.shape.count >= 2, (leastElements...mostElements).contains(segment.elements.count)
        else { return false }
        let columns = tensor.info.matrixColumns
        let rows = segment.elements.count / columns
        guard (32...Grid.limit).contains(columns), (32...Grid.limit).contains(rows) else { return false }
        if case .exact = measured.segments[0].coding { return true }
        return false
    }

    /// Whether a search takes so much memory that there should be one at a time: three times the longer factor and, of a matrix with
    /// few rows, the delta.
    static func isLarge(_ tensor: PackTensor) -> Bool {
        let columns = tensor.info.matrixColumns
        let elements = tensor.segments[0].elements.count
        let rows = elements / columns
        let isExact = min(rows, columns) <= Decomposition.exactExtent
        let rank = isExact ? min(rows, columns) : leading
        let bytes = 12 * rank * max(rows, columns) + (isExact && rows < columns ? 4 * elements : 0)
        return bytes >= largeMemory
    }

    /// What a search has found.
    struct Outcome: Sendable {
        let finding: Predicted.Finding
        let trace: Predicted.Trace
    }

    /// Looks for the best prediction.
    ///
    /// - Parameters:
    ///   - bits: what the residual alone takes.
    ///   - start: the number of the step to begin with.
    static func search(
        _ known: KnownTensor, bits: Double, startingAt start: Int?, _ workspace: Workspace
    ) throws(SiltError) -> Outcome {
        let delta = TensorDelta(known, workspace.delta)
        guard try isNearlyLowRank(delta),
            let choice = try PredictionSample(known.tensor, delta).bestStep(bits: bits, startingAt: start, workspace),
            let code = try code(delta, step: choice.step), code.rank > 0
        else { return Outcome(finding: .nothing, trace: Predicted.Trace(start: start, step: nil)) }
        let found = try measure(known.tensor, code, workspace)
        return Outcome(
            finding: found.bits < bits ? .prediction(found) : .nothing,
            trace: Predicted.Trace(start: start, step: choice.number))
    }

    /// Whether a sample of rows has most of its energy in few directions, as no ordinary delta of a large model has.
    private static func isNearlyLowRank(_ delta: TensorDelta) throws(SiltError) -> Bool {
        let (rows, columns) = (delta.rows, delta.columns)
        guard rows > 2 * sampleRows else { return true }
        var sample: [Float] = []
        sample.reserveCapacity(sampleRows * columns)
        for index in 0..<sampleRows {
            let row = index * rows / sampleRows
            let values = try unsafe delta.band(row..<row + 1)
            unsafe sample.append(contentsOf: UnsafeBufferPointer(start: values, count: columns))
        }
        guard let found = try? RightDirections(sample.span, rows: sampleRows, columns: columns), found.energy > 0
        else { return false }
        let top = found.sigma.prefix(min(sampleRows, columns) / share).reduce(0) { $0 + Double($1) * Double($1) }
        return top >= energy * found.energy
    }

    /// The factors at a step; nil if the delta has no decomposition.
    private static func code(_ delta: TensorDelta, step: Float) throws(SiltError) -> TransformCode? {
        // Read as often as it is looked at: the page cache has it, and in memory it would take four bytes for each element.
        let bands = unsafe RowBands(rows: delta.rows, columns: delta.columns) { (rows) throws(DecompositionError) in
            do throws(SiltError) {
                return try unsafe delta.band(rows)
            } catch {
                throw .unreadable(error)
            }
        }
        var coder = TransformCoder(quality: step)
        if delta.count > fullElements { coder.sweeps = 0 }
        do throws(DecompositionError) {
            let isSmall = min(delta.rows, delta.columns) <= Decomposition.exactExtent
            let directions =
                try isSmall ? RightDirections(bands) : RightDirections(Decomposition(leading: leading, of: bands))
            return try coder.code(bands, directions)
        } catch {
            if case .unreadable(let error) = error { throw error }
            return nil
        }
    }

    /// The prediction by these factors, with the bits of factors and residual together.
    private static func measure(
        _ tensor: PackTensor, _ code: TransformCode, _ workspace: Workspace
    ) throws(SiltError) -> LowRankPrediction {
        let segment = tensor.segments[0]
        let dtype = tensor.info.dtype
        guard let layout = dtype.floatLayout, let base = tensor.base else {
            throw tensor.fault("a tensor without a residual is predicted")
        }
        var chunks = ComponentChunks()
        let components = [ComponentRecord.lowRank(try FactorBuilder.record(code, tensor.name, &chunks))]
        let rebuilt = RebuiltTensor(tensor.name, tensor.info, known: tensor.knownElements, components, chunks)
        var statistics = ResidualStatistics()
        for cell in segment.cells {
            let piece = tensor.grid.range(cell).clamped(to: segment.elements)
            let bytes = try unsafe tensor.read(piece, into: workspace.delta.result)
            guard let result = bytes.baseAddress else { throw tensor.fault("a cell is empty") }
            let patterns = try unsafe base.read(piece, as: dtype, workspace.delta.base)
            let predicted = try unsafe rebuilt.rebuilt(
                cell, base: patterns, count: piece.count, workspace.predictor)
            if unsafe Bits.areEqual(predicted, result, bytes: bytes.count) { continue }
            unsafe workspace.residual.measure(
                layout, base: predicted, result: result, count: piece.count, unit: segment.unit
            ) { statistics.add($0) }
        }
        let plan = ResidualPlan(width: layout.width, for: statistics)
        let tables = TablesChunk(plan)
        let bits = plan.bits(for: statistics) + Double(8 * (tables.bytes.count + chunks.bytes))
        return LowRankPrediction(components: components, chunks: chunks, tables: tables, bits: bits)
    }
}
