internal import SiltTraining
internal import SiltTuning
internal import Workers

/// Shows on standard error what long work tells: bars while a person watches, lines for what is found.
struct EventPrinter: Sendable {
    private let isVerbose: Bool
    private let isWatched: Bool
    private let progress = ProgressBar()
    private let training = TrainingBar()

    init(isVerbose: Bool, isQuiet: Bool) {
        self.isVerbose = isVerbose
        isWatched = Terminal.isWatched && !isQuiet
    }

    /// What listens to the work; nil if nothing would be shown.
    var handler: WorkContext.EventHandler? {
        guard isVerbose || isWatched else { return nil }
        return { show($0) }
    }

    /// Removes the bars.
    func clear() {
        progress.clear()
        training.clear()
    }

    private func show(_ event: any WorkEvent) {
        switch event {
        case let event as Progress: if isWatched { progress.update(event) }
        case let event as Trial: tell(PackLines.line(of: event))
        case let event as SweepReport.Row: if isVerbose { tell(SweepLines.line(of: event)) }
        case let event as FineTuneEvent:
            switch event {
            case .step: if isWatched { training.update(event) }
            case .validation: tell(TrainingLines.line(of: event))
            }
        default: break
        }
    }

    private func tell(_ line: String) {
        clear()
        Terminal.complain(line)
    }
}
