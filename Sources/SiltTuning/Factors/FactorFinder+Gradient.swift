internal import Workers
internal import SiltPacking
internal import SiltEvaluation
internal import SiltReading
internal import DeltaCodecs
internal import DeltaPruning
internal import SiltFormat
internal import TensorTypes
internal import Transformers

extension FactorFinder {
    /// The least factor of a choice that is not random, as a share of the one at the start.
    private static let leastShare = 0.01

    /// Factors by gradient descent on what the whole model answers.
    func gradient(
        _ model: BenchModel, _ objective: GradientSearch.Objective, _ scope: CalibrationOptions.Scope
    ) throws(SiltError) -> Found {
        let start = start(model)
        let hasComponents = model.options.rescalesComponents
        let deltas =
            hasComponents ? try componentDeltas(model) : try prunedDeltas(pruned(model), byRow: scope == .row)
        let search = try GradientSearch(
            deltas, isShared: scope == .global, objective, calibration.configuration, fineTuned: bench.fineTuned,
            candidate: try bench.weights(model), calibration.data, seed: UInt64(truncatingIfNeeded: model.options.seed),
            bench.context.pool)
        // As published, q of a random choice is at least 1 - p: below it, the mean over all masks would go too far.
        let isRandom = model.options.isRandom && model.options.drop > 0
        let result = try search.run(
            start: start, floor: isRandom ? start : FactorFinder.leastShare * start,
            hasComponents ? .components : .published)
        let factors = Dictionary(
            uniqueKeysWithValues: zip(deltas, result.factors).map { delta, factors in
                (delta.name, factors.map(FactorFinder.rounded))
            })
        return Found(factors: factors, remaining: result.remaining, evaluations: result.evaluations)
    }

    /// The pruned tensors as functions of their factors.
    private func prunedDeltas(
        _ tensors: [BenchModel.Tensor], byRow: Bool
    ) throws(SiltError) -> [ScaledDelta] {
        try bench.context.pool.map(
            count: tensors.count, makeWorker: { BenchWorker() },
            work: { (worker, index) throws(SiltError) -> ScaledDelta in
                let tensor = tensors[index]
                let source = bench.tensors[tensor.index]
                let rest = tensor.components.filter { if case .lowRank = $0 { true } else { false } }
                return ScaledDelta(
                    name: source.name, base: try source.rebuild(rest, tensor.chunks, worker),
                    kept: try values(tensor.rescaled(nil), source), rows: byRow ? source.delta.rows : nil)
            })
    }

    /// The low-rank tensors as functions of their components' factors.
    private func componentDeltas(_ model: BenchModel) throws(SiltError) -> [ScaledDelta] {
        let tensors = model.tensors.compactMap { tensor in
            tensor.isMethod ? tensor.product.map { (tensor: tensor, product: $0) } : nil
        }
        return try bench.context.pool.map(
            count: tensors.count, makeWorker: { BenchWorker() },
            work: { (worker, index) throws(SiltError) -> ScaledDelta in
                let (tensor, product) = tensors[index]
                let source = bench.tensors[tensor.index]
                let (rows, columns) = (source.delta.rows, source.delta.columns)
                let reader = MatrixReader(source: MemoryChunks(chunks: tensor.chunks.chunks), level: .best)
                let left = try FactorStore.dense(
                    product.left, rows: product.rank, columns: rows, identity: source.name + ":left", reader)
                let right = try FactorStore.dense(
                    product.right, rows: product.rank, columns: columns, identity: source.name + ":right", reader)
                return ScaledDelta(
                    name: source.name, base: try source.rebuild([], tensor.chunks, worker),
                    product: ComponentProduct(
                        rank: product.rank, left: FactorFinder.floats(left, product.rank * rows), rows: rows,
                        right: FactorFinder.floats(right, product.rank * columns), columns: columns))
            })
    }

    private static func floats(_ buffer: ByteBuffer, _ count: Int) -> [Float] {
        let start = unsafe buffer.start.assumingMemoryBound(to: Float.self)
        return (0..<count).map { unsafe start[$0] }
    }
}
