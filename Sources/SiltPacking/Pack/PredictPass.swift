internal import Workers
internal import Safetensors
internal import Synchronization
internal import TensorTypes

/// Between the packer's two passes: tries low-rank predictions for tensors that stay exact.
struct PredictPass {
    private let pipeline: Pipeline
    /// The steps that were found for the first tensor of each shape.
    private var known: [[Int]: Int?] = [:]

    init(pipeline: Pipeline) { self.pipeline = pipeline }

    /// Bytes of those among `tensors` that are looked at.
    static func bytes(of tensors: [TensorTask]) -> Int {
        tensors.lazy.filter(PredictionSearch.isCandidate).reduce(0) { $0 + $1.info.bytes }
    }

    /// Searches one tensor of each new shape first; the others of that shape begin where it ended.
    ///
    /// So what is found does not depend on the number of threads, nor on how the tensors of a model come in batches.
    mutating func run(_ tensors: [TensorTask], _ meter: ProgressMeter) throws(SiltError) {
        var firsts: [TensorTask] = []
        var others: [TensorTask] = []
        var seen = Set(known.keys)
        for tensor in tensors where PredictionSearch.isCandidate(tensor) {
            if seen.insert(tensor.info.shape).inserted {
                firsts.append(tensor)
            } else {
                others.append(tensor)
            }
        }
        let steps = try search(firsts, [Int?](repeating: nil, count: firsts.count), meter)
        for (tensor, step) in zip(firsts, steps) { known[tensor.info.shape] = .some(step) }
        _ = try search(others, others.map { known[$0.info.shape] ?? nil }, meter)
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
