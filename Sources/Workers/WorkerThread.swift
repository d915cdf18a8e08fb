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
