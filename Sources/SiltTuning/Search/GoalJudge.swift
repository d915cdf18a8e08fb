internal import SiltEvaluation
internal import SiltPacking
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
    /// Measures divergence from the fine-tuned model, its reference; nil: Silt runs no model.
    var calibration: ModelJudge?
    /// Measures the metric; nil: nothing has labels.
    var validation: ModelJudge?
    /// The metric of the fine-tuned model.
    var fineTunedMetric: Double?
    /// Statistics of the linear layers' inputs; nil: biases are not corrected.
    var statistics: LayerStatistics?
    /// What errors cost the model's answers; nil: no candidate weighs them.
    var curvature: CurvatureStatistics?
    /// Measures the metric by a command, in place of `validation`.
    var evaluator: CandidateEvaluator?
    /// The least divergence of candidates that the evaluator refused.
    private let refused = Least()

    init(
        goal: CalibrationOptions.Goal, calibration: ModelJudge? = nil, validation: ModelJudge? = nil,
        fineTunedMetric: Double? = nil, statistics: LayerStatistics? = nil,
        curvature: CurvatureStatistics? = nil, evaluator: CandidateEvaluator? = nil
    ) {
        self.goal = goal
        self.calibration = calibration
        self.validation = validation
        self.fineTunedMetric = fineTunedMetric
        self.statistics = statistics
        self.curvature = curvature
        self.evaluator = evaluator
    }

    /// Whether biases can take the mean error of their layers in.
    var canCorrect: Bool { statistics != nil }

    /// Whether components can have a q of their own.
    var canDescend: Bool { calibration != nil }

    /// Whether each look may take hours, so that a search had better ask seldom.
    var isCostly: Bool { evaluator != nil }

    /// What every candidate is packed with.
    var tuning: LossyTuning {
        var tuning = LossyTuning()
        tuning.curvature = curvature
        tuning.notes.append(("goal", goal.words))
        return tuning
    }

    /// Judges.
    ///
    /// The cheaper look comes first: who is far from the fine-tuned model need not be asked more.
    ///
    /// - Parameter expected: the divergence on other data, of a candidate that was fitted to these.
    func judge(
        _ model: BenchModel, _ bench: Workbench, expected: Double = 0
    ) throws(SiltError) -> Standing {
        switch goal {
        case .divergenceWithin(let bound):
            let divergence = max(expected, try divergence(model, bench) ?? .infinity)
            return Standing(divergence: divergence, passes: divergence <= bound)
        case .sizeAtMost(let bytes):
            guard model.bytes <= bytes else { return Standing(passes: false) }
            return Standing(divergence: max(expected, try divergence(model, bench) ?? .infinity), passes: true)
        case .metricWithin(let bound):
            if let evaluator { return try standing(model, bench, evaluator, within: bound) }
            guard let validation, let reference = fineTunedMetric else { return Standing(passes: false) }
            var verdict = try validation.judge(try bench.weights(model))
            if validation === calibration { verdict.expect(divergence: expected) }
            return Standing(
                divergence: verdict.divergence, metric: verdict.value,
                passes: verdict.keeps(within: bound, of: reference))
        }
    }

    /// Whether a candidate uses up at most half of what the goal allows.
    func isWithin(half model: BenchModel, _ bench: Workbench) throws(SiltError) -> Bool {
        switch goal {
        case .divergenceWithin(let bound): return try divergence(model, bench) ?? .infinity <= bound / 2
        case .sizeAtMost: return false
        case .metricWithin(let bound):
            if let evaluator { return evaluator.keeps(try evaluator.measure(model, bench), within: bound / 2) }
            guard let validation, let reference = fineTunedMetric else { return false }
            return try validation.judge(try bench.weights(model)).keeps(within: bound / 2, of: reference)
        }
    }

    private func divergence(_ model: BenchModel, _ bench: Workbench) throws(SiltError) -> Double? {
        guard let calibration else { return nil }
        return try calibration.judge(try bench.weights(model)).divergence ?? .infinity
    }

    /// What an evaluator says; it is not asked about a candidate twice as far off as one that it refused.
    private func standing(
        _ model: BenchModel, _ bench: Workbench, _ evaluator: CandidateEvaluator, within bound: Double
    ) throws(SiltError) -> Standing {
        let divergence = try divergence(model, bench)
        if let divergence, divergence > 2 * refused.value { return Standing(divergence: divergence, passes: false) }
        let value = try evaluator.measure(model, bench)
        let passes = evaluator.keeps(value, within: bound)
        if !passes, let divergence { refused.add(divergence) }
        return Standing(divergence: divergence, metric: value, passes: passes)
    }

    /// The candidate with a q for each component, down the divergence's gradient; and the divergence that it has on other data.
    ///
    /// Factors fit the examples that they were found on better than any others. Some were held out, and theirs is the share of
    /// the divergence that is left.
    func descended(
        _ model: BenchModel, _ bench: Workbench, _ tuning: LossyTuning
    ) throws(SiltError) -> (model: BenchModel, expected: Double) {
        guard let calibration, let before = try divergence(model, bench) else { return (model, 0) }
        let finder = FactorFinder(bench: bench, calibration: calibration, validation: nil, statistics: nil)
        let found = try finder.find(model, .gradientKL, nil, multiplier: nil)
        return (try finder.applied(found, to: model, tuning), before * (found.remaining ?? 1))
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
