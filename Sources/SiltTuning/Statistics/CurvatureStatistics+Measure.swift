internal import SiltEvaluation
package import Workers
internal import DeltaPruning
internal import Synchronization
package import TensorTypes
package import Transformers

extension CurvatureStatistics {
    /// Sides up to this many positions have a Gram matrix, longer ones its diagonal.
    private static let gramLimit = 4_096
    /// Bytes that all statistics of a group of batches may take; Gram matrices shrink to keep to it.
    private static let memoryLimit = 2 << 30
    /// Elements that a table of embeddings may have: its gradient is in memory once for each thread.
    private static let tableLimit = 1 << 28
    /// Tokens of a batch.
    private static let batchTokens = 512
    /// Batches are dealt out to so many groups, whatever the number of threads, so that sums do not depend on it.
    private static let groups = 4
    /// Shares of a side's mean cost that are added to every direction's: of inputs, and of gradients at the outputs.
    ///
    /// Of settings from 0.05 to 1 for gradients, 0.2 had the least divergence at equal bytes on two pairs, once components had a q of
    /// their own. Gradients need more than inputs: where they are small in the fine-tuned model, they need not stay so once
    /// errors have moved it.
    package static let damping = (inputs: 0.1, gradients: 0.2)

    /// Runs the model with these weights over the data, forward and backward.
    ///
    /// - Throws: `usage` if the data are not for the model, if it has no head, if gradients are not finite or all 0, or if there is
    ///   too little memory.
    package init(
        _ configuration: ModelConfiguration, _ weights: WeightTable, _ data: TokenData, _ pool: WorkerPool
    ) throws(SiltError) {
        let model = try TransformerModel(configuration, weights)
        let batches = try data.batches(tokens: CurvatureStatistics.batchTokens, for: model)
        let plan = try CurvaturePlan(
            model, weights, gramLimit: CurvatureStatistics.gramLimit, memoryLimit: CurvatureStatistics.memoryLimit,
            tableLimit: CurvatureStatistics.tableLimit)
        try ModelMemory.check(
            values: (pool.threads + 1) * (plan.bytes / 4 + plan.gradientValues),
            "the curvature statistics of \(pool.threads) threads", file: data.file,
            advice: "take fewer threads with \(option: .threads)")
        let groups = min(CurvatureStatistics.groups, batches.count)
        let total = Mutex(CurvatureSums(plan))
        try pool.run(
            count: groups, makeWorker: { (BackwardWorkspace(), GradientTable(for: weights, names: plan.gradients)) },
            work: { (worker, group) throws(SiltError) -> CurvatureSums in
                let sums = CurvatureSums(plan)
                for index in stride(from: group, to: batches.count, by: groups) {
                    try sums.add(batches[index], model, worker.0, worker.1)
                }
                return sums
            },
            commit: { (_, sums) throws(SiltError) in total.withLock { $0.add(sums) } })
        let sums = total.withLock { $0 }
        guard sums.isFinite else {
            throw SiltError(
                .usage, "the model's gradients are infinite or NaN on the calibration data", file: data.file)
        }
        let fallback = sums.meanWeight
        guard fallback > 0, fallback.isFinite else {
            throw SiltError(
                .usage, "no weight affects the model's outputs on the calibration data, so there is no curvature",
                file: data.file, advice: "leave \(option: .curvature) out, or give data of the task")
        }
        let found = Mutex<[String: Curvature]>([:])
        let names = plan.matrices
        try pool.run(
            count: names.count, makeWorker: {},
            work: { (_, index) throws(SiltError) in
                guard let curvature = sums.curvature(names[index], damping: CurvatureStatistics.damping) else { return }
                found.withLock { $0[names[index]] = curvature }
            })
        self.init(found.withLock { $0 }, weights: sums.vectorWeights, fallback: fallback)
    }
}
