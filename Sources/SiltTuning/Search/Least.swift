internal import Synchronization

/// The least of the numbers that were added; infinite before.
final class Least: Sendable {
    private let number = Mutex(Double.infinity)

    var value: Double { number.withLock { $0 } }

    func add(_ value: Double) { number.withLock { $0 = min($0, value) } }
}
