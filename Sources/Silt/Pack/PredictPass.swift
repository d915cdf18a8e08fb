internal import Safetensors
internal import Synchronization
internal import TensorTypes

/// Between the packer's two passes: tries low-rank predictions for tensors that stay exact.
struct PredictPass: Sendable {
    private let tensors: [TensorTask]
    private let pipeline: Pipeline

    init(files: [FileTask], pipeline: Pipeline) {
        tensors = files.flatMap { file -> [TensorTask] in
            guard case .safetensors(_, let tensors) = file.content else { return [] }
            return tensors.filter(PredictionSearch.isCandidate)
        }
        self.pipeline = pipeline
    }

    /// Searches one tensor of each shape first; the others of that shape begin where it ended.
    ///
    /// So what is found does not depend on the number of threads.
    func run(_ progress: Progress.Handler?) throws(SiltError) {
        let meter = ProgressMeter("predicting", total: tensors.reduce(0) { $0 + $1.info.bytes }, progress)
        var firsts: [TensorTask] = []
        var others: [(tensor: TensorTask, shape: [Int])] = []
        var seen: Set<[Int]> = []
        for tensor in tensors {
            if seen.insert(tensor.info.shape).inserted {
                firsts.append(tensor)
            } else {
                others.append((tensor, tensor.info.shape))
            }
        }
        let steps = try search(firsts, [Int?](repeating: nil, count: firsts.count), meter)
        let known = Dictionary(
            zip(firsts.map(\.info.shape), steps).map { ($0, $1) }, uniquingKeysWith: { first, _ in first })
        _ = try search(others.map(\.tensor), others.map { known[$0.shape] ?? nil }, meter)
    }

    /// Searches all of `tensors`; returns the numbers of their steps.
    private func search(
        _ tensors: [TensorTask], _ starts: [Int?], _ meter: ProgressMeter
    ) throws(SiltError) -> [Int?] {
        // Deltas of large matrices are in memory as a whole: only one at a time.
        let large = Mutex(())
        let steps = Mutex([Int?](repeating: nil, count: tensors.count))
        try pipeline.run(
            count: tensors.count, makeWorker: { PackWorker() },
            work: { (worker, index) throws(SiltError) in
                let tensor = tensors[index]
                let segment = tensor.segments[0]
                let bits = segment.bits.withLock { $0 }
                let search = { () throws(SiltError) in
                    try PredictionSearch.search(tensor, bits: bits, startingAt: starts[index], worker)
                }
                let isLarge = segment.elements.count >= PredictionSearch.largeElements
                let result = isLarge ? large.withLock { _ in Result(catching: search) } : Result(catching: search)
                let outcome = try result.get()
                if let found = outcome.found {
                    segment.coding.withLock { $0 = .exact(found.tables) }
                    segment.prediction.withLock { $0 = found.prediction }
                }
                steps.withLock { $0[index] = outcome.step }
                meter.add(tensor.info.bytes, tensor.entry.name)
            })
        return steps.withLock { $0 }
    }
}
