internal import Workers
internal import Synchronization

/// One line on the terminal: phase, bar, share, GB/s, time left, tensor.
///
/// Drawn at most ten times a second.
final class ProgressBar: Sendable {
    private struct State {
        var phase = ""
        var phaseBegan: ContinuousClock.Instant
        var lastDrawn: ContinuousClock.Instant
        var isDrawn = false
    }

    private let state: Mutex<State>
    private let clock = ContinuousClock()

    init() {
        let now = ContinuousClock().now
        state = Mutex(State(phaseBegan: now, lastDrawn: now - .seconds(1)))
    }

    /// Takes a report of progress.
    func update(_ progress: Progress) {
        let now = clock.now
        let line: String? = state.withLock { state in
            if state.phase != progress.phase {
                state.phase = progress.phase
                state.phaseBegan = now
            }
            guard now - state.lastDrawn >= .milliseconds(100) else { return nil }
            state.lastDrawn = now
            state.isDrawn = true
            return ProgressBar.line(progress, elapsed: now - state.phaseBegan, columns: Terminal.columns)
        }
        if let line { Terminal.draw("\r\u{1B}[2K" + line) }
    }

    /// Removes the line.
    func clear() {
        if state.withLock({ $0.isDrawn }) { Terminal.draw("\r\u{1B}[2K") }
    }

    /// The line, shorter than `columns`.
    static func line(_ progress: Progress, elapsed: Duration, columns: Int) -> String {
        let share = progress.total > 0 ? min(1, Double(progress.done) / Double(progress.total)) : 1
        let seconds = elapsed.inSeconds
        let bar = Text.bar(share)
        let rate = seconds > 0 ? Double(progress.done) / seconds / 1e9 : 0
        let eta = Text.clock(share > 0 ? seconds / share * (1 - share) : 0)
        let percent = Text.right("\(Int(share * 100))", 3)
        let text = "\(progress.phase) \(bar) \(percent) %  \(Text.decimal(rate, 2)) GB/s  ETA \(eta)  "
        let room = columns - 1 - text.count
        return room > 3
            ? text + Text.shortened(Text.printable(progress.name), to: room) : String(text.prefix(columns - 1))
    }
}
