internal import DeltaPruning
internal import TensorTypes
internal import Transformers

/// Says whether a candidate keeps to a goal.
struct GoalJudge: Sendable {
    /// What is known of a candidate.
    struct Standing: Sendable {
        var divergence: Double?
        var metric: Double?
        var passes: Bool
    }

    let goal: CalibrationOptions.Goal
    /// Measures divergence; its reference is the fine-tuned model.
    let calibration: ModelJudge
    /// Measures the metric; nil: nothing has labels.
    let validation: ModelJudge?
    /// The metric of the fine-tuned model.
    let fineTunedMetric: Double?
    /// Statistics of the linear layers' inputs; nil: biases are not corrected.
    let statistics: LayerStatistics?

    /// Whether biases can take the mean error of their layers in.
    var canCorrect: Bool { statistics != nil }

    /// Judges.
    ///
    /// The cheaper look comes first: who is far from the fine-tuned model need not be asked more.
    func judge(_ model: BenchModel, _ bench: Workbench) throws(SiltError) -> Standing {
        if case .sizeAtMost(let bytes) = goal, model.bytes > bytes { return Standing(passes: false) }
        let weights = try bench.weights(model)
        switch goal {
        case .divergenceWithin(let bound):
            let divergence = try calibration.judge(weights).divergence ?? .infinity
            return Standing(divergence: divergence, passes: divergence <= bound)
        case .sizeAtMost:
            return Standing(divergence: try calibration.judge(weights).divergence ?? .infinity, passes: true)
        case .metricWithin(let bound):
            guard let validation, let reference = fineTunedMetric else { return Standing(passes: false) }
            let verdict = try validation.judge(weights)
            return Standing(
                divergence: verdict.divergence, metric: verdict.value,
                passes: verdict.keeps(within: bound, of: reference))
        }
    }

    /// Whether a candidate uses up at most half of what the goal allows.
    func isWithin(half model: BenchModel, _ bench: Workbench) throws(SiltError) -> Bool {
        let weights = try bench.weights(model)
        switch goal {
        case .divergenceWithin(let bound): return try (calibration.judge(weights).divergence ?? .infinity) <= bound / 2
        case .sizeAtMost: return false
        case .metricWithin(let bound):
            guard let validation, let reference = fineTunedMetric else { return false }
            return try validation.judge(weights).keeps(within: bound / 2, of: reference)
        }
    }

    /// The candidate with the mean error of its layers in their biases; `tuning` gains what the packer needs for that.
    func corrected(
        _ model: BenchModel, _ bench: Workbench, _ tuning: inout LossyTuning
    ) throws(SiltError) -> BenchModel {
        guard let statistics else { return model }
        tuning.corrections = try statistics.corrections(try bench.weights(model), bench)
        return try bench.code(model.options, tuning, reusing: model)
    }
}
