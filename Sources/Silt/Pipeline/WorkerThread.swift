#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// A thread of the operating system that runs one closure.
@safe final class WorkerThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private var handle: pthread_t?

    /// Starts a thread; where the system refuses one, the closure's work is left to the other threads.
    init(_ body: @escaping @Sendable () -> Void) {
        let argument = unsafe Unmanaged.passRetained(Body(body))
        #if canImport(Darwin)
            var thread: pthread_t?
        #else
            var thread = pthread_t()
        #endif
        let status = unsafe pthread_create(
            &thread, nil,
            { argument in
                #if canImport(Darwin)
                    let pointer = argument
                #else
                    guard let pointer = unsafe argument else { return nil }
                #endif
                unsafe Unmanaged<Body>.fromOpaque(pointer).takeRetainedValue().run()
                return nil
            }, argument.toOpaque())
        if status == 0 {
            handle = thread
        } else {
            unsafe argument.release()
        }
    }

    /// Waits for the closure to return.
    func join() {
        guard let thread = handle else { return }
        pthread_join(thread, nil)
        handle = nil
    }
}

/// Lets threads through one at a time, in the order of their numbers.
@safe final class Turn: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var number: Int

    /// The first turn is that of `number`.
    init(from number: Int = 0) {
        self.number = number
        unsafe pthread_mutex_init(mutex, nil)
        unsafe pthread_cond_init(condition, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// Waits until it is `number`'s turn.
    func wait(for number: Int) {
        unsafe pthread_mutex_lock(mutex)
        while self.number != number { unsafe pthread_cond_wait(condition, mutex) }
        unsafe pthread_mutex_unlock(mutex)
    }

    /// Ends the turn that was waited for.
    func pass() {
        unsafe pthread_mutex_lock(mutex)
        number += 1
        unsafe pthread_cond_broadcast(condition)
        unsafe pthread_mutex_unlock(mutex)
    }
}
