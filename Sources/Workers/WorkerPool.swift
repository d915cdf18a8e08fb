internal import Synchronization
package import TensorTypes

/// The one chunk pool: jobs 0, 1, 2, … go to worker threads in order; each worker reads, computes and (unless the order
/// matters) writes its chunk by itself, so that only chunks in flight take memory.
///
/// The threads are Silt's own: blocking reads would stop Swift's cooperative pool, which has one thread a core.
package struct WorkerPool: Sendable {
    package let threads: Int
    package let cancellation: Cancellation

    package init(
        threads: Int, cancellation: Cancellation
    ) {
        self.threads = threads
        self.cancellation = cancellation
    }

    /// How many small results may wait for a slower one before them: jobs last as long as their tensors are large.
    package var lookahead: Int { 2 * threads }

    /// Runs `count` jobs and returns when all are done; a worker does nothing else until its result is committed, so that this may
    /// be a buffer of its own.
    ///
    /// - Parameters:
    ///   - makeWorker: makes the buffers of one worker, on its thread.
    ///   - work: does job `index`. Several run at once.
    ///   - commit: takes the jobs' results one at a time, in the order of the jobs.
    /// - Throws: the error of the failed job with the lowest index, the same whatever the number of threads: jobs are handed
    ///   out in order, so every job before it ran to its end. No job begins, and nothing is committed, after a failure.
    package func run<Worker, Output>(
        count: Int, makeWorker: @escaping @Sendable () -> Worker,
        work: @escaping @Sendable (Worker, Int) throws(SiltError) -> Output,
        commit: @escaping @Sendable (Int, Output) throws(SiltError) -> Void
    ) throws(SiltError) {
        try run(count: count, from: 0, ahead: 0, makeWorker, work, commit)
    }

    /// Runs jobs as above; results may wait for those before them while their workers go on.
    ///
    /// - Parameters:
    ///   - loose: so many of the jobs, the first ones, take no turn: `commit` never hears of them, and no job waits for them.
    ///   - ahead: how far a result may be ahead of the next one to be committed: so many are in memory.
    package func run<Worker, Output: Sendable>(
        count: Int, loose: Int = 0, ahead: Int, makeWorker: @escaping @Sendable () -> Worker,
        work: @escaping @Sendable (Worker, Int) throws(SiltError) -> Output,
        commit: @escaping @Sendable (Int, Output) throws(SiltError) -> Void
    ) throws(SiltError) {
        try run(count: count, from: loose, ahead: ahead, makeWorker, work, commit)
    }

    private func run<Worker, Output>(
        count: Int, from loose: Int, ahead: Int, _ makeWorker: @escaping @Sendable () -> Worker,
        _ work: @escaping @Sendable (Worker, Int) throws(SiltError) -> Output,
        _ commit: @escaping @Sendable (Int, Output) throws(SiltError) -> Void
    ) throws(SiltError) {
        let failures = Failures()
        let order = CommitOrder<Result<Output, SiltError>>(from: loose, ahead: ahead) { index, output in
            guard case .success(let output) = output, !failures.isThere(before: index) else { return }
            do throws(SiltError) {
                try commit(index, output)
            } catch {
                failures.add(index, error)
            }
        }
        drive(count: count, makeWorker: makeWorker, failures) { worker, index in
            let output = Result { () throws(SiltError) in try work(worker, index) }
            if case .failure(let error) = output { failures.add(index, error) }
            // A failure, too: those after it wait for its turn.
            if index >= loose { order.bring(output, as: index) }
        }
        if let error = failures.first { throw error }
    }

    /// Runs `count` jobs whose order does not matter.
    ///
    /// Errors as above.
    package func run<Worker>(
        count: Int, makeWorker: @escaping @Sendable () -> Worker,
        work: @escaping @Sendable (Worker, Int) throws(SiltError) -> Void
    ) throws(SiltError) {
        let failures = Failures()
        drive(count: count, makeWorker: makeWorker, failures) { worker, index in
            do throws(SiltError) {
                try work(worker, index)
            } catch {
                failures.add(index, error)
            }
        }
        if let error = failures.first { throw error }
    }

    /// What `work` makes of each job, in the order of the jobs.
    ///
    /// All results are in memory. Errors as above.
    package func map<Worker, Output: Sendable>(
        count: Int, makeWorker: @escaping @Sendable () -> Worker,
        work: @escaping @Sendable (Worker, Int) throws(SiltError) -> Output
    ) throws(SiltError) -> [Output] {
        let results = Mutex([Output?](repeating: nil, count: count))
        try run(
            count: count, makeWorker: makeWorker,
            work: { (worker, index) throws(SiltError) in
                let output = try work(worker, index)
                results.withLock { $0[index] = output }
            })
        let outputs = results.withLock { $0.compactMap { $0 } }
        guard outputs.count == count else { throw SiltError(.fault, "a job ended without a result") }
        return outputs
    }

    /// Gives the jobs to the threads, this one among them, until all are done or one has failed.
    private func drive<Worker>(
        count: Int, makeWorker: @escaping @Sendable () -> Worker, _ failures: Failures,
        job: @escaping @Sendable (Worker, Int) -> Void
    ) {
        let handedOut = Counter()
        let cancellation = cancellation
        let body: @Sendable () -> Void = {
            let worker = makeWorker()
            while !failures.isThere(before: count) {
                if cancellation.isRequested {
                    failures.add(count - 1, SiltError(.interrupted, "stopped on request"))
                    return
                }
                let index = handedOut.next()
                guard index < count else { return }
                job(worker, index)
            }
        }
        let others = (1..<max(1, min(threads, count))).map { _ in WorkerThread(body) }
        body()
        for thread in others { thread.join() }
    }
}

/// Counts jobs as they are handed out.
private final class Counter: Sendable {
    private let value = Atomic<Int>(0)

    func next() -> Int { value.add(1, ordering: .relaxed).oldValue }
}

/// The failed job with the lowest index.
private final class Failures: Sendable {
    private let lowest = Atomic<Int>(.max)
    private let failure = Mutex<(index: Int, error: SiltError)?>(nil)

    /// The error of the failed job with the lowest index.
    var first: SiltError? { failure.withLock { $0?.error } }

    /// Whether a job with an index below `index` has failed.
    func isThere(before index: Int) -> Bool { lowest.load(ordering: .acquiring) < index }

    func add(_ index: Int, _ error: SiltError) {
        failure.withLock { current in
            guard current.map({ index < $0.index }) ?? true else { return }
            current = (index, error)
            lowest.store(index, ordering: .releasing)
        }
    }
}
