package import Workers
internal import Synchronization
package import TensorTypes
package import Transformers

/// Runs batches forward and backward on the pool's threads, each worker with a table of gradients of its own.
///
/// Results are taken in the order of the batches, so that the number of threads does not matter. Buffers stay for the next run.
/// Memory: for each thread, the gradients of the chosen tensors and what `BackwardWorkspace` says.
package final class GradientPass: Sendable {
    /// What a worker needs.
    private final class Worker: @unchecked Sendable {
        let workspace = BackwardWorkspace()
        let gradients: GradientTable

        init(_ gradients: GradientTable) { self.gradients = gradients }
    }

    /// Workers that are between two runs.
    private final class Spares: Sendable {
        private let idle = Mutex<[Worker]>([])

        func take(_ make: () -> Worker) -> Worker { idle.withLock { $0.popLast() } ?? make() }

        func give(_ worker: Worker) { idle.withLock { $0.append(worker) } }
    }

    /// A worker for as long as a run lasts.
    private final class Loan {
        let worker: Worker
        private let spares: Spares

        init(_ spares: Spares, _ make: () -> Worker) {
            self.spares = spares
            worker = spares.take(make)
        }

        deinit { spares.give(worker) }
    }

    private let weights: WeightTable
    private let names: Set<String>
    private let pool: WorkerPool
    private let spares = Spares()

    /// - Parameters:
    ///   - weights: shapes of the gradients.
    ///   - names: the tensors whose gradients are wanted.
    /// - Throws: `usage` if they take more memory than there is.
    package init(_ weights: WeightTable, _ names: Set<String>, file: String, _ pool: WorkerPool) throws(SiltError) {
        let values = names.reduce(0) { $0 + (weights[$1]?.count ?? 0) }
        try ModelMemory.check(
            values: values * (pool.threads + 1), "the gradients of \(pool.threads) threads", file: file,
            advice: "use fewer \(option: .threads)")
        (self.weights, self.names, self.pool) = (weights, names, pool)
    }

    /// Runs the batches.
    ///
    /// - Parameters:
    ///   - loss: of batch `index`: fills the gradient of the logits.
    ///   - reduce: makes of a batch's gradients what is wanted of them. Several run at once.
    ///   - commit: takes these one at a time, in the order of the batches.
    /// - Returns: the sum of the losses' terms.
    /// - Throws: `usage` if logits or gradients are not finite.
    package func run<Output>(
        _ model: TransformerModel, _ batches: [TokenBatch],
        loss: @escaping @Sendable (_ index: Int, LogitRows, UnsafeMutablePointer<Float>) throws(SiltError) -> Mean,
        reduce: @escaping @Sendable (GradientTable) throws(SiltError) -> Output,
        commit: @escaping @Sendable (Output) throws(SiltError) -> Void
    ) throws(SiltError) -> Mean {
        let total = Mutex(Mean())
        let (spares, weights, names) = (spares, weights, names)
        try pool.run(
            count: batches.count,
            makeWorker: { Loan(spares) { Worker(GradientTable(for: weights, names: names)) } },
            work: { (loan, index) throws(SiltError) -> (Mean, Output) in
                let worker = loan.worker
                worker.gradients.clear()
                var mean = Mean()
                _ = try unsafe model.backward(batches[index], worker.workspace, into: worker.gradients) {
                    (logits, gradient) throws(SiltError) in
                    mean = try unsafe loss(index, logits, gradient)
                    return mean.sum
                }
                guard worker.gradients.isFinite else {
                    throw SiltError(.usage, "gradients are infinite or NaN")
                }
                return (mean, try reduce(worker.gradients))
            },
            commit: { (_, result) throws(SiltError) in
                total.withLock { $0 += result.0 }
                try commit(result.1)
            })
        return total.withLock { $0 }
    }
}
