internal import SiltEvaluation

/// What a walk of the pipeline recommends: by divergence at no more bytes, and in words.
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

    var sentences: [String] {
        var list: [String] = []
        if isTrainable {
            list.append(
                "The model can be trained again: train with a pull towards the base (silt finetune --optimizer adamr), then "
                    + "pack with plain DARE (DAREx-L2). Everything below is about the model as it is.")
        }
        switch recommended {
        case .exact where choice.options.isEmpty:
            list.append(
                "No tensor that a lossy method applies to has changed: the exact delta is all there is to store.")
            return list
        case .exact:
            list.append(
                "Recommended: exact. It is no larger than where the pipeline leads (\(choice.name), "
                    + "\(choice.bytes) bytes), and loses nothing.")
            return list
        case .alternative:
            list.append(
                "The paper's pipeline is not the best here. Recommended: \(words(way)), no larger and closer than "
                    + "where it leads: \(words(choice)).")
            if let metric, let (own, other) = choice.metric.flatMap({ own in way.metric.map { (own, $0) } }),
                metric.loss(of: other, from: own) > 0
            {
                list.append("By \(metric.name) the pipeline's choice is ahead, on the data that chose its q.")
            }
        case .choice:
            let other = alternative.map { "the closest of all measured that are no larger; next: \(words($0))" }
            list.append(
                "Recommended: where the pipeline leads, \(words(choice)). It is "
                    + "\(other ?? "the smallest of all measured").")
        }
        if way.divergence > PipelineAdvice.tolerable * without {
            list.append(
                "Even that gives up \(Figure.percent(way.divergence, of: without)) % of what the delta does: too small a "
                    + "file for this delta. Use a lower p or quality, or silt pack --kl-within.")
        }
        if way.options.contains("--q ") {
            list.append("q was chosen on these data: measure the file on others (silt eval) before you trust it.")
        }
        return list
    }

    private func words(_ way: PipelineReport.Way) -> String {
        let value = way.metric.flatMap { value in metric.map { ", \($0.name) \(Figure.short(value))" } } ?? ""
        return "\(way.name) (\(way.bytes) bytes, KL \(Figure.short(way.divergence))\(value))"
    }
}
