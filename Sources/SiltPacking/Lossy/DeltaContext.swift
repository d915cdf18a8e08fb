package import Workers
package import DeltaPruning
internal import Safetensors
internal import SiltFormat
internal import Synchronization
package import TensorTypes

/// What a method must know of all tensors before it codes one: how large deltas are, and which elements are the largest.
package struct DeltaContext: Sendable {
    /// Root of the mean square of all deltas that the method takes, whitened if there is a curvature.
    ///
    /// 0 if the method does not ask.
    let rootMeanSquare: Double
    private let thresholds: [String: MagnitudeThreshold]
    /// Decompositions, for whoever needs them more than once.
    package let decompositions: DecompositionStore

    /// Reads the tensors as often as the method needs: never, once (transform), or three times (the largest of all).
    package init(
        _ options: LossyOptions, _ tensors: [any DeltaSource], _ pool: WorkerPool, _ progress: Progress.Handler?,
        decompositions: DecompositionStore = DecompositionStore(keeping: false),
        curvature: CurvatureStatistics? = nil
    ) throws(SiltError) {
        self.decompositions = decompositions
        BLASThreads.settle()
        if options.method == .transform {
            let energies = try DeltaContext.visit(tensors, pool, "measuring deltas", progress) {
                tensor, values, columns in
                let rows = columns == 0 ? 0 : values.count / columns
                return decompositions.energy(
                    of: tensor, values, curvature?.curvature(of: tensor, rows: rows, columns: columns))
            }
            let count = tensors.reduce(0) { $0 + $1.knownElements }
            rootMeanSquare = count == 0 ? 0 : (energies.reduce(0, +) / Double(count)).squareRoot()
        } else {
            rootMeanSquare = 0
        }
        guard options.elementMethod == .magnitude, options.scope == .global, options.drop > 0 else {
            thresholds = [:]
            return
        }
        thresholds = try DeltaContext.thresholds(tensors, keep: 1 - options.drop, pool, progress)
    }

    /// The step of the transform coder: `quality` times what a delta is large.
    package func step(_ quality: Double) -> Float {
        let step = Float(quality * rootMeanSquare)
        return step > 0 && step.isFinite ? step : Float.leastNormalMagnitude
    }

    /// The elements of a tensor that are among the largest of all tensors.
    package func largest(_ values: Span<Float>, of name: String) throws(SiltError) -> Bitset {
        guard var threshold = thresholds[name] else {
            throw SiltError.fault("the largest elements are asked for where they were not counted", tensor: name)
        }
        return threshold.mask(values)
    }

    private static func thresholds(
        _ tensors: [any DeltaSource], keep: Double, _ pool: WorkerPool, _ progress: Progress.Handler?
    ) throws(SiltError) -> [String: MagnitudeThreshold] {
        let count = tensors.reduce(0) { $0 + $1.knownElements }
        let search = Mutex(MagnitudeSearch(keeping: Magnitude.quota(keep, of: count)))
        // Histograms add up, so the order of the workers does not matter.
        _ = try visit(tensors, pool, "counting magnitudes", progress) { _, values, _ in
            search.withLock { $0.count(values) }
        }
        search.withLock { $0.narrow() }
        _ = try visit(tensors, pool, "counting magnitudes", progress) { _, values, _ in
            search.withLock { $0.refine(values) }
        }
        let threshold = search.withLock { $0.threshold() }
        let equals = try visit(tensors, pool, "counting magnitudes", progress) { _, values, _ in
            threshold.equals(in: values)
        }
        // Those that equal the threshold stay in the order of the tensors, until there are enough.
        var left = threshold.ties
        var thresholds: [String: MagnitudeThreshold] = [:]
        for (tensor, count) in zip(tensors, equals) {
            let ties = min(left, UInt64(count))
            thresholds[tensor.name] = threshold.allowing(ties: ties)
            left -= ties
        }
        return thresholds
    }

    /// What `body` says of each tensor's delta, in the order of the tensors.
    private static func visit<R: Sendable>(
        _ tensors: [any DeltaSource], _ pool: WorkerPool, _ phase: String, _ progress: Progress.Handler?,
        _ body: @escaping @Sendable (_ tensor: String, _ values: Span<Float>, _ columns: Int) -> R
    ) throws(SiltError) -> [R] {
        let meter = ProgressMeter(phase, total: tensors.reduce(0) { $0 + $1.info.bytes }, progress)
        return try pool.map(
            count: tensors.count, makeWorker: { DeltaBuffers() },
            work: { (buffers, index) throws(SiltError) in
                let delta = try tensors[index].delta(buffers)
                let start = try unsafe delta.values()
                let values = unsafe Span(_unsafeStart: UnsafePointer(start), count: delta.count)
                let result = body(tensors[index].name, values, delta.columns)
                meter.add(tensors[index].info.bytes, tensors[index].name)
                return result
            })
    }
}
