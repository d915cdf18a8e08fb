internal import Synchronization
internal import TensorTypes

/// The one chunk pipeline: jobs 0, 1, 2, … go to worker threads in order; each worker reads, computes and (unless the order
/// matters) writes its chunk by itself, so that only chunks in flight take memory.
///
/// The threads are Silt's own: blocking reads would stop Swift's cooperative pool, which has one thread a core.
struct Pipeline: Sendable {
    let threads: Int
    let cancellation: Cancellation

    /// Runs `count` jobs and returns when all are done.
    ///
    /// - Parameters:
    ///   - makeWorker: makes the buffers of one worker, on its thread.
    ///   - work: does job `index`. Several run at once.
    ///   - commit: takes the jobs' results one at a time, in the order of the jobs.
    /// - Throws: the error of the failed job with the lowest index, the same whatever the number of threads: jobs are handed
    ///   out in order, so every job before it ran to its end. No job begins, and nothing is committed, after a failure.
    func run<Worker, Output>(
        count: Int, makeWorker: @escaping @Sendable () -> Worker,
        work: @escaping @Sendable (Worker, Int) throws(SiltError) -> Output,
        commit: @escaping @Sendable (Int, Output) throws(SiltError) -> Void
    ) throws(SiltError) {
        try drive(count: count, makeWorker: makeWorker) { (state, worker, index) throws(SiltError) in
            let output = try work(worker, index)
            try state.inTurn(index) { () throws(SiltError) in try commit(index, output) }
        }
    }

    /// Runs `count` jobs whose order does not matter.
    ///
    /// Errors as above.
    func run<Worker>(
        count: Int, makeWorker: @escaping @Sendable () -> Worker,
        work: @escaping @Sendable (Worker, Int) throws(SiltError) -> Void
    ) throws(SiltError) {
        try drive(count: count, makeWorker: makeWorker) { (_, worker, index) throws(SiltError) in
            try work(worker, index)
        }
    }

    /// Gives the jobs to the threads, this one among them.
    private func drive<Worker>(
        count: Int, makeWorker: @escaping @Sendable () -> Worker,
        job: @escaping @Sendable (PipelineState, Worker, Int) throws(SiltError) -> Void
    ) throws(SiltError) {
        let state = PipelineState()
        let cancellation = cancellation
        let body: @Sendable () -> Void = {
            let worker = makeWorker()
            while let index = state.next(count) {
                do throws(SiltError) {
                    if cancellation.isRequested { throw SiltError(.interrupted, "stopped on request") }
                    try job(state, worker, index)
                } catch {
                    state.fail(index, error)
                }
            }
        }
        let others = (1..<max(1, min(threads, count))).map { _ in WorkerThread(body) }
        body()
        for thread in others { thread.join() }
        if let error = state.error { throw error }
    }
}

/// What the workers of one run share.
private final class PipelineState: Sendable {
    private let handedOut = Atomic<Int>(0)
    private let failed = Atomic<Bool>(false)
    private let failure = Mutex<(index: Int, error: SiltError)?>(nil)
    private let turn = Turn()

    var error: SiltError? { failure.withLock { $0?.error } }

    /// The next job; nil when all are handed out or one has failed.
    func next(_ count: Int) -> Int? {
        guard !failed.load(ordering: .acquiring) else { return nil }
        let index = handedOut.add(1, ordering: .relaxed).oldValue
        return index < count ? index : nil
    }

    func inTurn(_ index: Int, _ body: () throws(SiltError) -> Void) throws(SiltError) {
        turn.wait(for: index)
        defer { turn.pass() }
        guard !failed.load(ordering: .acquiring) else { return }
        try body()
    }

    func fail(_ index: Int, _ error: SiltError) {
        failure.withLock { current in
            if current.map({ index < $0.index }) ?? true { current = (index, error) }
        }
        failed.store(true, ordering: .releasing)
        // Jobs after this one may wait for their turn; they must come to see the failure.
        turn.open()
    }
}
