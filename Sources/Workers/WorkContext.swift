public import Logging
package import TensorTypes

/// What long work has around it: threads, and how it speaks with whoever started it.
public struct WorkContext: Sendable {
    /// Worker threads.
    ///
    /// Results do not depend on their number.
    public var threads: Int
    /// Where notes go.
    public var log: Logger
    /// Told how far the work is, from worker threads.
    public var progress: Progress.Handler?
    /// Stops the work.
    public var cancellation: Cancellation

    /// Which form of the kernels rebuilds; all give the same bits, which tests prove.
    package var kernelLevel = KernelLevel.best

    /// Two threads, and nobody who listens but `log`, unless said otherwise.
    public init(
        threads: Int = 2, log: Logger, progress: Progress.Handler? = nil, cancellation: Cancellation = Cancellation()
    ) {
        self.threads = threads
        self.log = log
        self.progress = progress
        self.cancellation = cancellation
    }

    /// The engine with these threads.
    package var pipeline: Pipeline { Pipeline(threads: threads, cancellation: cancellation) }
}
