internal import Safetensors
internal import TensorTypes
internal import Workers

/// Between the packer's two passes: tries low-rank predictions for tensors that stay exact.
struct PredictPass {
    let plan: PackPlan
    let pool: WorkerPool
    /// What an earlier encoding of the plan found.
    let earlier: [Int: Predicted.Trace]
    /// The steps that were found for the first tensor of each shape.
    private var known: [[Int]: Int?] = [:]

    init(_ plan: PackPlan, earlier: [Int: Predicted.Trace], _ pool: WorkerPool) {
        self.plan = plan
        self.earlier = earlier
        self.pool = pool
    }

    /// Bytes of those among `tensors` that are looked at.
    func bytes(of tensors: [PackTensor]) -> Int {
        tensors.lazy.filter(isCandidate).reduce(0) { $0 + $1.info.bytes }
    }

    private func isCandidate(_ tensor: PackTensor) -> Bool {
        PredictionSearch.isCandidate(tensor, plan.measured.tensors[tensor.index])
    }

    /// Searches one tensor of each new shape first; the others of that shape begin where it ended.
    ///
    /// So what is found does not depend on the number of threads, nor on how the tensors of a model come in batches.
    mutating func run(_ tensors: [PackTensor], _ meter: ProgressMeter) throws(SiltError) -> Predicted {
        var firsts: [PackTensor] = []
        var others: [PackTensor] = []
        var seen = Set(known.keys)
        for tensor in tensors where isCandidate(tensor) {
            if seen.insert(tensor.info.shape).inserted {
                firsts.append(tensor)
            } else {
                others.append(tensor)
            }
        }
        let first = try search(firsts, [Int?](repeating: nil, count: firsts.count), meter)
        for (tensor, outcome) in zip(firsts, first) { known[tensor.info.shape] = .some(outcome.trace.step) }
        let rest = try search(others, others.map { known[$0.info.shape] ?? nil }, meter)
        let all = zip(firsts + others, first + rest)
        return Predicted(
            findings: Dictionary(uniqueKeysWithValues: all.map { ($0.index, $1.finding) }),
            traces: Dictionary(uniqueKeysWithValues: all.map { ($0.index, $1.trace) }))
    }

    /// Searches all of `tensors`.
    private func search(
        _ tensors: [PackTensor], _ starts: [Int?], _ meter: ProgressMeter
    ) throws(SiltError) -> [PredictionSearch.Outcome] {
        // Factors of large matrices are in memory as a whole: one at a time, so all of them are one job.
        let large = tensors.indices.filter { PredictionSearch.isLarge(tensors[$0]) }
        let small = tensors.indices.filter { !PredictionSearch.isLarge(tensors[$0]) }
        let jobs = (large.isEmpty ? [] : [large]) + small.map { [$0] }
        let found = try pool.map(
            count: jobs.count, makeWorker: { PredictionSearch.Workspace() },
            work: { (workspace, job) throws(SiltError) in
                var outcomes: [(index: Int, outcome: PredictionSearch.Outcome)] = []
                for index in jobs[job] {
                    try pool.cancellation.check()
                    outcomes.append((index, try search(tensors[index], starts[index], workspace)))
                    meter.add(tensors[index].info.bytes, tensors[index].name)
                }
                return outcomes
            })
        return found.flatMap { $0 }.sorted { $0.index < $1.index }.map(\.outcome)
    }

    private func search(
        _ tensor: PackTensor, _ start: Int?, _ workspace: PredictionSearch.Workspace
    ) throws(SiltError) -> PredictionSearch.Outcome {
        if let trace = earlier[tensor.index], trace.start == start {
            return PredictionSearch.Outcome(finding: .sameAsEarlier, trace: trace)
        }
        return try PredictionSearch.search(
            plan.known(tensor), bits: plan.measured.tensors[tensor.index].segments[0].bits, startingAt: start,
            workspace)
    }
}
