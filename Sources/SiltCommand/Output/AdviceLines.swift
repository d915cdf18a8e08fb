internal import SiltTuning

/// The words of a plan's advice.
enum AdviceLines {
    /// A sentence.
    ///
    /// - Parameter metric: what the pipeline's metric is called; nil without.
    static func sentence(_ advice: PlanAdvice, metric: String?) -> String {
        switch advice {
        case .nothingCompares:
            "No float tensor has a counterpart in the base; silt inspect shows how an exact pack stores them."
        case .nothingChanged: "Nothing changed: an exact delta is all there is to store."
        case .exactIsSmallest:
            "Recommended: exact (silt pack without --method). It is smaller than every lossy file tried, and loses nothing."
        case .lossyGainsLittle(let share):
            "Recommended: exact. The smallest lossy file tried is only \(Text.decimal(100 * share, 1)) % smaller."
        case .exact(let ratio):
            "Recommended if every bit counts: exact, \(Text.decimal(ratio, 1)) x smaller than the files."
        case .approximate(let choice, let ratio):
            "Recommended if an approximation is enough: \(Flags.text(choice)), \(Text.decimal(ratio, 1)) x smaller, the "
                + "least error of those that are at least 30 % smaller than exact."
        case .pointless(let choices):
            "Larger than the exact delta, hence pointless here: "
                + "\(choices.map { Flags.text($0) }.joined(separator: "; "))."
        case .largeDeltas(let limit, let share):
            "Deltas are large (standard deviation above \(limit) in \(Text.decimal(100 * share, 1)) % of the values): "
                + "random drop at high rates is risky; prefer transform, magnitude or sign, and check the task's metric."
        case .measureTask: "A small L2 error does not guarantee accuracy: evaluate a lossy model on its task."
        default: ofPipeline(advice, metric)
        }
    }

    private static func ofPipeline(_ advice: PlanAdvice, _ metric: String?) -> String {
        switch advice {
        case .train:
            "The model can be trained again: train with a pull towards the base (silt finetune --optimizer adamr), then "
                + "pack with plain DARE (DAREx-L2). Everything below is about the model as it is."
        case .nothingToPrune:
            "No tensor that a lossy method applies to has changed: the exact delta is all there is to store."
        case .exactBeatsPipeline(let way):
            "Recommended: exact. It is no larger than where the pipeline leads (\(way.name), \(way.bytes) bytes), and "
                + "loses nothing."
        case .alternative(let way, let choice):
            "The paper's pipeline is not the best here. Recommended: \(words(way, metric)), no larger and closer than "
                + "where it leads: \(words(choice, metric))."
        case .metricDisagrees(let metric):
            "By \(metric) the pipeline's choice is ahead, on the data that chose its q."
        case .pipeline(let choice, let next):
            "Recommended: where the pipeline leads, \(words(choice, metric)). It is "
                + (next.map { "the closest of all measured that are no larger; next: \(words($0, metric))" }
                    ?? "the smallest of all measured") + "."
        case .givesUp(let share):
            "Even that gives up \(Figure.percent(share, of: 1)) % of what the delta does: too small a file for this "
                + "delta. Use a lower p or quality, or silt pack --kl-within."
        default: "q was chosen on these data: measure the file on others (silt eval) before you trust it."
        }
    }

    private static func words(_ way: PipelineReport.Way, _ metric: String?) -> String {
        let value = way.metric.flatMap { value in metric.map { ", \($0) \(Figure.short(value))" } } ?? ""
        return "\(way.name) (\(way.bytes) bytes, KL \(Figure.short(way.divergence))\(value))"
    }
}
