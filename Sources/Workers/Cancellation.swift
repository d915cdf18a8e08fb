internal import Synchronization
package import TensorTypes

/// A flag that asks long work to stop.
///
/// Set it from a signal handler or another thread; the work ends with an error of class `interrupted`, and nothing
/// appears under the output's name.
package final class Cancellation: Sendable {
    private let requested = Atomic<Bool>(false)

    /// A flag that is not set.
    package init() {}

    /// Asks the work to stop.
    ///
    /// Safe in a signal handler.
    package func request() { requested.store(true, ordering: .relaxed) }

    /// Whether the work shall stop.
    package var isRequested: Bool { requested.load(ordering: .relaxed) }

    /// Ends the work if it shall stop.
    ///
    /// - Throws: `interrupted`.
    package func check() throws(SiltError) {
        if isRequested { throw SiltError(.interrupted, "stopped on request") }
    }
}
