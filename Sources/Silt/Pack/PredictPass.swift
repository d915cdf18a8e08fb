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
        // Factors of large matrices are in memory as a whole: one at a time, so all of them are one job.
        let large = tensors.indices.filter { PredictionSearch.isLarge(tensors[$0]) }
        let small = tensors.indices.filter { !PredictionSearch.isLarge(tensors[$0]) }
        let jobs = (large.isEmpty ? [] : [large]) + small.map { [$0] }
        let steps = Mutex([Int?](repeating: nil, count: tensors.count))
        let cancellation = pipeline.cancellation
        try pipeline.run(
            count: jobs.count, makeWorker: { PackWorker() },
            work: { (worker, job) throws(SiltError) in
                for index in jobs[job] {
                    try cancellation.check()
                    let tensor = tensors[index]
                    let segment = tensor.segments[0]
                    let outcome = try PredictionSearch.search(
                        tensor, bits: segment.bits.withLock { $0 }, startingAt: starts[index], worker)
                    if let found = outcome.found {
                        segment.coding.withLock { $0 = .exact(found.tables) }
                        segment.prediction.withLock { $0 = found.prediction }
                    }
                    steps.withLock { $0[index] = outcome.step }
                    meter.add(tensor.info.bytes, tensor.entry.name)
                }
            })
        return steps.withLock { $0 }
    }
}
