internal import SiltEvaluation

/// What a walk of the pipeline recommends: by divergence at no more bytes.
struct PipelineAdvice: Sendable {
    /// Who gives up more of the delta's effect than this is not recommended without a warning.
    static let tolerable = 0.5

    let isTrainable: Bool
    let choice: PipelineReport.Way
    let alternative: PipelineReport.Way?
    let exact: PipelineReport.Way
    let metric: TaskMetric?
    /// Divergence of the model without its delta.
    let without: Double

    var recommended: PipelineReport.Recommendation {
        if exact.bytes <= choice.bytes { return .exact }
        if let alternative, alternative.divergence < choice.divergence { return .alternative }
        return .choice
    }

    var way: PipelineReport.Way {
        switch recommended {
        case .exact: exact
        case .choice: choice
        case .alternative: alternative ?? choice
        }
    }

    var all: [PlanAdvice] {
        var list: [PlanAdvice] = isTrainable ? [.train] : []
        switch recommended {
        case .exact: return list + [choice.choice == nil ? .nothingToPrune : .exactBeatsPipeline(choice)]
        case .alternative:
            list.append(.alternative(way, over: choice))
            if let metric, let (own, other) = choice.metric.flatMap({ own in way.metric.map { (own, $0) } }),
                metric.loss(of: other, from: own) > 0
            {
                list.append(.metricDisagrees(metric.name))
            }
        case .choice: list.append(.pipeline(choice, next: alternative))
        }
        if way.divergence > PipelineAdvice.tolerable * without {
            list.append(.givesUp(share: way.divergence / without))
        }
        if way.choice?.rule != nil { list.append(.measureElsewhere) }
        return list
    }
}
