internal import SiltPacking

/// Something that a plan recommends, or says of its recommendation; front ends have the words.
package enum PlanAdvice: Sendable, Hashable {
    /// No float tensor has a counterpart in the base.
    case nothingCompares
    /// Nothing changed: the exact delta is all there is.
    case nothingChanged
    /// Exact: it is smaller than every lossy file that was tried.
    case exactIsSmallest
    /// Exact: the smallest lossy file that was tried is smaller by this share only.
    case lossyGainsLittle(share: Double)
    /// If every bit counts: exact, so many times smaller than the files.
    case exact(ratio: Double)
    /// If an approximation is enough: this one, so many times smaller than the files.
    case approximate(PackingChoice, ratio: Double)
    /// These are larger than the exact delta.
    case pointless([PackingChoice])
    /// Random drop is risky: this share of the values is in deltas whose standard deviation is above the limit.
    case largeDeltas(limit: Double, share: Double)
    /// A lossy model must be measured on its task.
    case measureTask
    /// The model can be trained again, which comes first.
    case train
    /// Nothing that a lossy method takes has changed.
    case nothingToPrune
    /// Exact: no larger than where the pipeline leads.
    case exactBeatsPipeline(PipelineReport.Way)
    /// The first: no larger than where the pipeline leads, the second, and nearer.
    case alternative(PipelineReport.Way, over: PipelineReport.Way)
    /// By this metric, the pipeline's choice is better than what is recommended.
    case metricDisagrees(String)
    /// Where the pipeline leads, and the next best that is no larger.
    case pipeline(PipelineReport.Way, next: PipelineReport.Way?)
    /// What is recommended gives up this share of what the delta does.
    case givesUp(share: Double)
    /// q was chosen on the data that measured it.
    case measureElsewhere

    /// DARE's own bound: its random drop works where deltas are smaller (reference in Docs/Lossy.md).
    private static let dareLimit = 0.002

    /// What sizes and errors of the deltas say.
    static func all(
        _ candidates: [PlanReport.Candidate], _ groups: [PlanReport.Group], fineTunedBytes: Int
    ) -> [PlanAdvice] {
        guard let exact = candidates.first, !groups.isEmpty else { return [.nothingCompares] }
        let lossy = candidates.dropFirst()
        let moved = groups.filter { $0.unchanged < 1 }
        guard !moved.isEmpty else { return [.nothingChanged] }
        let smaller = lossy.filter { $0.bytes < exact.bytes }.sorted { $0.bytes < $1.bytes }
        guard let smallest = smaller.first else { return [.exactIsSmallest] }
        func ratio(_ bytes: Int) -> Double { Double(fineTunedBytes) / Double(max(1, bytes)) }
        var advice: [PlanAdvice] = []
        // Whoever accepts a loss wants a good deal smaller a file for it.
        let worth = smaller.filter { Double($0.bytes) < 0.7 * Double(exact.bytes) }
        if let best = worth.min(by: { $0.relativeL2 < $1.relativeL2 }), let choice = best.choice {
            advice += [.exact(ratio: ratio(exact.bytes)), .approximate(choice, ratio: ratio(best.bytes))]
        } else {
            advice.append(
                .lossyGainsLittle(share: Double(exact.bytes - smallest.bytes) / Double(max(1, exact.bytes))))
        }
        let larger = lossy.filter { $0.bytes >= exact.bytes }.compactMap(\.choice)
        if !larger.isEmpty { advice.append(.pointless(larger)) }
        let large = moved.filter { $0.deviation > dareLimit }.reduce(0) { $0 + $1.parameters }
        let all = moved.reduce(0) { $0 + $1.parameters }
        if 4 * large > all {
            advice.append(.largeDeltas(limit: dareLimit, share: Double(large) / Double(max(1, all))))
        }
        return advice + [.measureTask]
    }
}
