internal import SiltEvaluation
internal import TensorTypes

/// Whether plain DARE hurts at a moderate drop rate: what the pipeline calls a large delta.
///
/// Errors of a random mask have a variance of p / (1 - p), and divergence grows with it: 9 at p = 0.9, 99 at p = 0.99. Who loses a
/// tenth of what the delta does at p = 0.9 has lost about all of it at p = 0.99, and no q brings that back.
struct DeltaTest: Sendable {
    /// The drop rate, and the masks that are tried.
    static let drop = 0.9, masks = 4
    /// The share of the delta's effect from which a loss counts.
    static let threshold = 0.1
    /// Divergences below this are rounding.
    static let noise = 1e-6

    /// What the metric says, where there are labels.
    struct Metric: Sendable {
        let metric: TaskMetric
        let fineTuned: Double
        /// The mean over the masks.
        let plain: Double
        /// Of the model without its delta.
        let without: Double
        /// The standard error of the loss; 0 if not known.
        let uncertainty: Double
        /// What the fine-tuned model expects its changed answers to cost; nil where that is not known.
        var expected: Double?

        var loss: Double { metric.loss(of: plain, from: fineTuned) }
        var gain: Double { metric.loss(of: without, from: fineTuned) }
    }

    /// The divergence of plain DARE, mean over the masks.
    let plain: Double
    /// The divergence of the model without its delta.
    let without: Double
    let metric: Metric?

    /// Whether the answers move back by more than the threshold.
    var hurtsAnswers: Bool { plain > max(DeltaTest.threshold * without, DeltaTest.noise) }

    /// Whether the metric loses more than the threshold of what it gained, by more than a standard error.
    ///
    /// Of few examples one answer counts for much, so classifiers must expect that loss too.
    var hurtsMetric: Bool {
        guard let metric, metric.gain > 0 else { return false }
        let bound = DeltaTest.threshold * metric.gain
        return metric.loss - metric.uncertainty > bound && metric.expected ?? .infinity > bound
    }

    var isLarge: Bool { hurtsAnswers || hurtsMetric }

    var evidence: String {
        var text =
            "plain DARE at p \(DeltaTest.drop), mean of \(DeltaTest.masks) masks: KL \(Figure.short(plain)) nats, "
            + "\(Figure.percent(plain, of: without)) % of the \(Figure.short(without)) without the delta "
            + "(threshold \(Figure.percent(DeltaTest.threshold, of: 1)) %)"
        if let metric {
            text +=
                "; \(metric.metric.name) \(Figure.short(metric.plain)), fine-tuned \(Figure.short(metric.fineTuned)), "
                + "without the delta \(Figure.short(metric.without))"
            if metric.gain > 0 {
                text +=
                    ": a loss of \(Figure.percent(metric.loss, of: metric.gain)) % of the gain, "
                    + "give or take \(Figure.percent(metric.uncertainty, of: metric.gain)) %"
                if let expected = metric.expected {
                    text += ", expected \(Figure.percent(expected, of: metric.gain)) %"
                }
                text += " (threshold the same)"
            }
        }
        return text
    }

    var numbers: [(name: String, value: Double)] {
        var list = [
            ("drop", DeltaTest.drop), ("kl", plain), ("kl_without_delta", without),
            ("kl_share", without > 0 ? plain / without : 0), ("threshold", DeltaTest.threshold),
        ]
        if let metric {
            list += [
                ("metric", metric.plain), ("metric_finetuned", metric.fineTuned),
                ("metric_without_delta", metric.without), ("metric_uncertainty", metric.uncertainty),
            ]
            if let expected = metric.expected { list.append(("metric_expected_loss", expected)) }
        }
        return list.map { (name: $0.0, value: $0.1) }
    }
}
