@testable import Workers
import Synchronization
import TensorTypes
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A number of which threads wait until it is large enough, asleep: other tests need the cores.
private final class Milestone: Sendable {
    private let reached = Mutex(0)

    /// The largest number yet.
    var value: Int { reached.withLock { $0 } }

    func reach(_ number: Int) { reached.withLock { $0 = max($0, number) } }

    func add() { reached.withLock { $0 += 1 } }

    /// Returns once the number is at least `number`; after a minute it gives up, and the test fails.
    func wait(for number: Int, _ location: SourceLocation = #_sourceLocation) {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(60)
        while value < number {
            guard clock.now < end else {
                Issue.record("waited for \(number), found \(value)", sourceLocation: location)
                return
            }
            pause(milliseconds: 1)
        }
    }
}

/// Sleeps: time for other threads to do what they may.
private func pause(milliseconds: Int) {
    var time = timespec(tv_sec: 0, tv_nsec: milliseconds * 1_000_000)
    _ = unsafe nanosleep(&time, nil)
}

@Suite("The pool")
struct WorkerPoolTests {
    /// What a run did.
    private final class Record: Sendable {
        let worked = Mutex<[Int]>([])
        let committed = Mutex<[Int]>([])
        let workers = Atomic<Int>(0)
    }

    private func error(_ index: Int) -> SiltError { SiltError(.io, "job \(index)") }

    /// Runs jobs of which some fail; gives the error's message and what was done.
    private func run(
        _ count: Int, threads: Int, ahead: Int = 0, failing: Set<Int> = [], failingCommits: Set<Int> = [],
        work: @escaping @Sendable (Int) -> Void = { _ in }
    ) -> (message: String?, record: Record) {
        let record = Record()
        let caught = failure {
            try WorkerPool(threads: threads, cancellation: Cancellation()).run(
                count: count, ahead: ahead, makeWorker: { _ = record.workers.add(1, ordering: .relaxed) },
                work: { (_: Void, index) throws(SiltError) -> Int in
                    record.worked.withLock { $0.append(index) }
                    work(index)
                    if failing.contains(index) { throw SiltError(.io, "job \(index)") }
                    return 10 * index
                },
                commit: { (index, output) throws(SiltError) in
                    if failingCommits.contains(index) { throw SiltError(.io, "commit \(index)") }
                    record.committed.withLock { $0.append(output == 10 * index ? index : -1) }
                })
        }
        return (caught?.message, record)
    }

    private func failure(_ body: () throws -> Void) -> SiltError? {
        do {
            try body()
            return nil
        } catch {
            return error as? SiltError
        }
    }

    @Test("every job is done once, and committed in order", arguments: [1, 2, 5, 100], [0, 1, 4, 1_000])
    func order(threads: Int, ahead: Int) {
        let (message, record) = run(60, threads: threads, ahead: ahead) { index in
            // Early jobs last longer, so that later ones must wait.
            if index < 12, threads > 1 { pause(milliseconds: 12 - index) }
        }
        #expect(message == nil)
        #expect(record.worked.withLock { $0.sorted() } == Array(0..<60))
        #expect(record.committed.withLock { $0 } == Array(0..<60))
        #expect(record.workers.load(ordering: .relaxed) <= min(threads, 60))
    }

    @Test("a worker goes on while its result is near enough to the next one, and no further", arguments: [1, 3, 10])
    func lookahead(ahead: Int) {
        let highest = Milestone()
        let (message, _) = run(40, threads: 2, ahead: ahead) { index in
            highest.reach(index)
            guard index == 5 else { return }
            // Job 5 waits for the other thread, which does as much as it may.
            highest.wait(for: 5 + ahead)
            pause(milliseconds: 50)
            // Its worker went on from job 5 + ahead - 1, and waits with the next one.
            #expect(highest.value == 5 + ahead)
        }
        #expect(message == nil)
    }

    @Test("no job at all", arguments: [0, 1, 5])
    func nothing(threads: Int) {
        let (message, record) = run(0, threads: threads)
        #expect(message == nil && record.worked.withLock { $0.isEmpty })
    }

    @Test("the error with the lowest index wins, whenever it comes", arguments: [1, 2, 5], [0, 8])
    func lowestError(threads: Int, ahead: Int) {
        for _ in 0..<20 {
            let later = Milestone()
            let (message, record) = run(40, threads: threads, ahead: ahead, failing: [7, 8, 9, 30]) { index in
                // Job 7 waits until another has failed, if others run.
                if index == 8 || index == 9 { later.add() }
                if index == 7 && threads > 1 { later.wait(for: 1) }
            }
            #expect(message == "job 7")
            let committed = record.committed.withLock { $0 }
            #expect(committed == Array(0..<committed.count) && committed.count <= 7)
        }
    }

    @Test("no job begins after a failure but those that were handed out", arguments: [1, 2, 5])
    func end(threads: Int) {
        let (_, record) = run(1_000, threads: threads, failing: [3])
        let worked = record.worked.withLock { $0 }
        #expect(worked.contains(3))
        if threads == 1 { #expect(worked == [0, 1, 2, 3]) }
        // A worker that has not seen the failure may take one more; none goes on and on.
        #expect(worked.count < 900)
    }

    @Test("a commit that fails ends the run with its error", arguments: [1, 2, 5])
    func commitError(threads: Int) {
        let (message, record) = run(40, threads: threads, failingCommits: [5])
        #expect(message == "commit 5")
        #expect(record.committed.withLock { Array($0.prefix(5)) } == Array(0..<5))
    }

    @Test("nothing is committed after a commit that failed")
    func afterCommitError() {
        // `inTurn` passes the turn on before `fail` is called: the next job in line may see no failure yet.
        var late = 0
        for _ in 0..<300 {
            let (_, record) = run(12, threads: 5, failingCommits: [5])
            if record.committed.withLock({ $0.count }) > 5 { late += 1 }
        }
        #expect(late == 0, "in \(late) of 300 runs")
    }

    @Test("the error does not depend on the number of threads where a commit and a later job fail")
    func commitOrJob() {
        let (single, _) = run(8, threads: 1, failing: [5], failingCommits: [3])
        #expect(single == "commit 3")
        let failed = Milestone()
        let (several, _) = run(8, threads: 5, failing: [5], failingCommits: [3]) { index in
            if index == 5 { failed.reach(1) }
            guard index == 3 else { return }
            failed.wait(for: 1)
            // Time for the failure of job 5 to be noted.
            pause(milliseconds: 50)
        }
        #expect(several == "commit 3")
    }

    @Test("loose jobs take no turn: nobody waits for them, and they are not committed", arguments: [1, 2, 5])
    func loose(threads: Int) throws {
        let committed = Mutex<[Int]>([])
        let commits = Milestone()
        let finished = Atomic<Int>(0)
        try WorkerPool(threads: threads, cancellation: Cancellation()).run(
            count: 20, loose: 2, ahead: 0, makeWorker: {},
            work: { (_: Void, index) throws(SiltError) -> Int in
                // With another thread to do the rest, the first job ends after the last commit.
                if index == 0, threads > 1 { commits.wait(for: 18) }
                finished.add(1, ordering: .relaxed)
                return index
            },
            commit: { (index, output) throws(SiltError) in
                committed.withLock { $0.append(output == index ? index : -1) }
                commits.add()
            })
        #expect(finished.load(ordering: .relaxed) == 20)
        #expect(committed.withLock { $0 } == Array(2..<20))
        let caught = failure {
            try WorkerPool(threads: threads, cancellation: Cancellation()).run(
                count: 20, loose: 2, ahead: 0, makeWorker: {},
                work: { (_: Void, index) throws(SiltError) -> Int in
                    if index == 1 { throw SiltError(.io, "job 1") }
                    return index
                }, commit: { (_, _) throws(SiltError) in })
        }
        #expect(caught?.message == "job 1")
    }

    @Test("without an order, every job is done once and the lowest error wins", arguments: [1, 2, 5])
    func unordered(threads: Int) {
        let done = Mutex<[Int]>([])
        let fine = failure {
            try WorkerPool(threads: threads, cancellation: Cancellation()).run(
                count: 50, makeWorker: {},
                work: { (_: Void, index) throws(SiltError) in done.withLock { $0.append(index) } })
        }
        #expect(fine == nil && done.withLock { $0.sorted() } == Array(0..<50))
        let broken = failure {
            try WorkerPool(threads: threads, cancellation: Cancellation()).run(
                count: 50, makeWorker: {},
                work: { (_: Void, index) throws(SiltError) in
                    if index % 10 == 4 { throw SiltError(.io, "job \(index)") }
                })
        }
        #expect(broken?.message == "job 4")
    }

    @Test("a request to stop is an error, and no further job begins", arguments: [1, 5])
    func cancellation(threads: Int) {
        let cancellation = Cancellation()
        let worked = Atomic<Int>(0)
        let error = failure {
            try WorkerPool(threads: threads, cancellation: cancellation).run(
                count: 1_000, makeWorker: {},
                work: { (_: Void, index) throws(SiltError) in
                    worked.add(1, ordering: .relaxed)
                    if index == 2 { cancellation.request() }
                })
        }
        #expect(error?.code == .interrupted)
        #expect(worked.load(ordering: .relaxed) < 1_000)
    }

    @Test("values that were used last are kept")
    func recentlyUsed() {
        var recent = RecentlyUsed<Int, String>()
        for key in 0..<4 { recent.insert("\(key)", for: key) }
        #expect(recent[0] == "0")
        recent.insert("4", for: 4)
        #expect(recent[1] == nil)
        #expect([0, 2, 3, 4].map { recent[$0] } == ["0", "2", "3", "4"])
    }
}
