#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Hands on what threads finish one at a time, in the order of its numbers.
///
/// What comes early waits here while its thread goes on, as long as it is near enough to what is next; whoever brings that hands on
/// all that follows it. Where nothing may be ahead, a thread does not touch what it brought before it is handed on.
@safe final class CommitOrder<Output>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let ahead: Int
    private let commit: (Int, Output) -> Void
    private var next: Int
    private var early: [Int: Output] = [:]
    private var isCommitting = false

    /// An order that begins with `number`.
    ///
    /// - Parameters:
    ///   - ahead: a thread goes on while what it brought is less than so many numbers after the next; 0: when it is handed on.
    ///   - commit: takes what was brought; one thread at a time.
    init(from number: Int, ahead: Int, commit: @escaping (Int, Output) -> Void) {
        (next, self.ahead, self.commit) = (number, ahead, commit)
        unsafe pthread_mutex_init(mutex, nil)
        unsafe pthread_cond_init(condition, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// Brings number `number`; every number from the first on must come, or those after it would wait for ever.
    func bring(_ output: Output, as number: Int) {
        unsafe pthread_mutex_lock(mutex)
        early[number] = output
        if !isCommitting {
            isCommitting = true
            while let output = early.removeValue(forKey: next) {
                unsafe pthread_mutex_unlock(mutex)
                commit(next, output)
                unsafe pthread_mutex_lock(mutex)
                next += 1
                unsafe pthread_cond_broadcast(condition)
            }
            isCommitting = false
        }
        while number >= next + ahead { unsafe pthread_cond_wait(condition, mutex) }
        unsafe pthread_mutex_unlock(mutex)
    }
}
