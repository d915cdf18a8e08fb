package import Logging
package import TensorTypes

/// What long work has around it: threads, and how it speaks with whoever started it.
package struct WorkContext: Sendable {
    /// Worker threads.
    ///
    /// Results do not depend on their number.
    package var threads: Int
    /// Where notes go.
    package var log: Logger
    /// Told of everything that happens, often, from worker threads; it must be quick and thread-safe.
    package var events: EventHandler?
    /// Stops the work.
    package var cancellation: Cancellation

    /// What listens to work.
    package typealias EventHandler = @Sendable (any WorkEvent) -> Void

    /// Which form of the kernels rebuilds; all give the same bits, which tests prove.
    package var kernelLevel = KernelLevel.best

    /// Two threads, and nobody who listens but `log`, unless said otherwise.
    package init(
        threads: Int = 2, log: Logger, events: EventHandler? = nil, cancellation: Cancellation = Cancellation()
    ) {
        self.threads = threads
        self.log = log
        self.events = events
        self.cancellation = cancellation
    }

    /// Hands progress to who listens to all events; nil if nobody does.
    package var progress: Progress.Handler? {
        guard let events else { return nil }
        return { events($0) }
    }

    /// The engine with these threads.
    package var pool: WorkerPool { WorkerPool(threads: threads, cancellation: cancellation) }
}
