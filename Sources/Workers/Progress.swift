internal import Synchronization

/// How far long work is.
public struct Progress: WorkEvent {
    /// What is being done, as a verb: `measuring`, `packing`, `unpacking`, `verifying`.
    public let phase: String
    /// Bytes of checkpoint data done in this phase.
    public let done: Int
    /// Bytes of checkpoint data in this phase.
    public let total: Int
    /// The tensor or file in work.
    public let name: String

    /// Told after each chunk.
    package typealias Handler = @Sendable (Progress) -> Void
}

/// Adds up what workers have done and tells the handler.
package final class ProgressMeter: Sendable {
    private let phase: String
    private let total: Int
    private let handler: Progress.Handler?
    private let done = Atomic<Int>(0)

    package init(_ phase: String, total: Int, _ handler: Progress.Handler?) {
        self.phase = phase
        self.total = total
        self.handler = handler
    }

    package func add(_ bytes: Int, _ name: String) {
        guard let handler else { return }
        let sum = done.add(bytes, ordering: .relaxed).newValue
        handler(Progress(phase: phase, done: sum, total: total, name: name))
    }
}
