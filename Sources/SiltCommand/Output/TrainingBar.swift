internal import SiltTraining
internal import Synchronization
internal import Workers

/// One line on the terminal: bar, step, loss, learning rate, time left.
///
/// Drawn at most ten times a second.
final class TrainingBar: Sendable {
    private struct State {
        /// When this run's first step was done, and which it was.
        var first: (time: ContinuousClock.Instant, step: Int)?
        var lastDrawn: ContinuousClock.Instant
        var isDrawn = false
    }

    private let state: Mutex<State>
    private let clock = ContinuousClock()

    init() { state = Mutex(State(lastDrawn: ContinuousClock().now - .seconds(1))) }

    /// Takes a step.
    func update(_ event: FineTuneEvent) {
        guard case .step(let step, let total, _, _) = event else { return }
        let now = clock.now
        let line: String? = state.withLock { state in
            let first = state.first ?? (now, step)
            state.first = first
            guard now - state.lastDrawn >= .milliseconds(100) else { return nil }
            (state.lastDrawn, state.isDrawn) = (now, true)
            let done = step - first.step
            let left = done > 0 ? Double(total - step) * (now - first.time).inSeconds / Double(done) : nil
            return TrainingBar.line(event, step: step, total: total, left: left)
        }
        if let line { Terminal.draw("\r\u{1B}[2K" + line.prefix(Terminal.columns - 1)) }
    }

    /// Removes the line.
    func clear() {
        let isDrawn = state.withLock { state in
            defer { state.isDrawn = false }
            return state.isDrawn
        }
        if isDrawn { Terminal.draw("\r\u{1B}[2K") }
    }

    /// The line; `left` are seconds.
    static func line(_ event: FineTuneEvent, step: Int, total: Int, left: Double?) -> String {
        let share = total > 0 ? Double(step) / Double(total) : 1
        let eta = left.map { "  ETA " + Text.clock($0) } ?? ""
        return "\(Text.bar(share)) \(TrainingLines.line(of: event))\(eta)"
    }
}
