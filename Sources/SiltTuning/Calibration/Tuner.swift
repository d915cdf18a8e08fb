internal import SiltReading
internal import DeltaPruning
internal import SiltEvaluation
internal import SiltPacking
internal import Workers
internal import Logging
internal import Safetensors
internal import SiltFormat
internal import TensorTypes
internal import Transformers

/// Decides by calibration what packing is then told: q, the mask's seed, biases, or the whole way of packing.
struct Tuner {
    let context: WorkContext
    let calibration: CalibrationOptions
    /// The options that were given; nil if the search is to choose them.
    let lossy: LossyOptions?
    /// The Silt file that is to be.
    let output: String

    /// What judges candidates, made before the pair is read: what may be refused comes before what may take hours.
    struct Preparation {
        /// The model that Silt runs; nil if it runs none.
        let configuration: ModelConfiguration?
        /// A command that measures candidates; nil without one.
        let evaluator: CandidateEvaluator?
    }

    /// Checks what was asked for; measures the fine-tuned model if a command does that.
    func prepare(_ fineTuned: Checkpoint) throws(SiltError) -> Preparation {
        try calibration.check(lossy)
        guard let command = calibration.evaluator else {
            return Preparation(
                configuration: try ModelLoader(context).configuration(of: fineTuned), evaluator: nil)
        }
        // Silt runs models only if there are calibration data too.
        let configuration = try calibration.calibration.map { _ throws(SiltError) in
            try ModelLoader(context).configuration(of: fineTuned)
        }
        let evaluator = try CandidateEvaluator(
            try ExternalEvaluator(command), lowerIsBetter: calibration.evaluatorLowerIsBetter, fineTuned,
            beside: output, context)
        return Preparation(configuration: configuration, evaluator: evaluator)
    }

    /// What was decided for a pair that is packed exactly; nil: the exact file is the smallest that keeps to the goal.
    func decide(
        _ pair: PackPair, _ exact: Packing, _ preparation: Preparation
    ) throws(SiltError) -> LossyDecision? {
        let bench = try Workbench(
            exact, pair.fineTuned, context, runsModels: preparation.configuration != nil)
        guard let configuration = preparation.configuration else {
            guard let goal = calibration.goal else { return nil }
            return try search(GoalJudge(goal: goal, evaluator: preparation.evaluator), bench, nil, pair.base)
        }
        let place = try Judges(calibration, configuration, bench.fineTuned, context.pool)
        if let goal = calibration.goal {
            var judge = GoalJudge(goal: goal, evaluator: preparation.evaluator)
            judge.calibration = place.calibration
            if preparation.evaluator == nil {
                judge.validation = place.validation
                judge.fineTunedMetric = try place.validation?.judge(bench.fineTuned).value
            }
            judge.statistics = try inputs(bench, configuration, place)
            judge.curvature = try curvature(bench, configuration, place)
            return try search(judge, bench, place, pair.base)
        }
        guard let lossy else { return nil }
        return try tune(lossy, bench, configuration, place, pair.base)
    }

    /// Finds what belongs to given options: factors, a mask, biases.
    private func tune(
        _ lossy: LossyOptions, _ bench: Workbench, _ configuration: ModelConfiguration, _ place: Judges,
        _ base: Checkpoint
    ) throws(SiltError) -> LossyDecision {
        var options = lossy
        let statistics = try statistics(options, bench, configuration, place)
        var tuning = LossyTuning()
        if let statistics { tuning.norms = statistics.norms }
        if options.curvature { tuning.curvature = try curvature(bench, configuration, place) }
        let finder = FactorFinder(
            bench: bench, calibration: place.calibration, validation: place.validation, statistics: statistics)
        // What biases take in depends on q, and comes after it; but components find theirs beside the biases that there will be.
        let biasesComeFirst = calibration.rule != nil && options.rescalesComponents
        func corrections(_ model: BenchModel) throws(SiltError) -> [String: [Float]] {
            guard calibration.correctsBias, let statistics else { return [:] }
            return try statistics.corrections(try bench.weights(model), bench)
        }
        if biasesComeFirst { tuning.corrections = try corrections(try bench.code(options, tuning)) }
        var model = try bestMask(&options, &tuning, bench, finder, place)
        if calibration.correctsBias {
            if !biasesComeFirst {
                tuning.corrections = try corrections(model)
                model = try bench.code(options, tuning, reusing: model)
            }
            let corrected = model.tensors.contains { tuning.corrections[bench.tensors[$0.index].name] != nil }
            if corrected {
                tuning.notes.append(("biases", "corrected"))
            } else {
                context.log.notice("no bias can be corrected: there is none, or it stays exact")
            }
        }
        tuning.evaluations = try evaluations(model, bench, place, base)
        return LossyDecision(options, tuning)
    }

    /// What is known of the linear layers' inputs, for biases.
    private func inputs(
        _ bench: Workbench, _ configuration: ModelConfiguration, _ place: Judges
    ) throws(SiltError) -> LayerStatistics {
        try LayerStatistics(
            configuration, bench.fineTuned, place.calibration.data, wantsGram: false, context.pool)
    }

    /// What errors cost the fine-tuned model's answers.
    private func curvature(
        _ bench: Workbench, _ configuration: ModelConfiguration, _ place: Judges
    ) throws(SiltError) -> CurvatureStatistics {
        try CurvatureStatistics(configuration, bench.fineTuned, place.calibration.data, context.pool)
    }

    private func statistics(
        _ options: LossyOptions, _ bench: Workbench, _ configuration: ModelConfiguration, _ place: Judges
    ) throws(SiltError) -> LayerStatistics? {
        let isByLayer = [.analytic, .published, .closedForm, .leastSquares].contains(calibration.rule)
        let needsNorms = options.elementMethod == .wanda
        guard isByLayer || needsNorms || calibration.correctsBias else { return nil }
        let wantsGram = calibration.rule == .closedForm || calibration.rule == .leastSquares
        return try LayerStatistics(
            configuration, bench.fineTuned, place.calibration.data, wantsGram: wantsGram, context.pool)
    }

    /// The mask with the least divergence, with its factors.
    private func bestMask(
        _ options: inout LossyOptions, _ tuning: inout LossyTuning, _ bench: Workbench, _ finder: FactorFinder,
        _ place: Judges
    ) throws(SiltError) -> BenchModel {
        let first = options.seed
        var masks: [(seed: Int, divergence: Double)] = []
        for seed in first..<first + calibration.seeds where calibration.seeds > 1 {
            var attempt = options
            attempt.seed = seed
            let model = try bench.code(attempt, tuning)
            let divergence = try place.calibration.judge(try bench.weights(model)).divergence ?? .infinity
            masks.append((seed, divergence))
            context.events?(
                Trial(
                    choice: PackingChoice(attempt), bytes: model.bytes, divergence: divergence, metric: nil,
                    passes: true))
        }
        // q is found for the three best: the best with q = 1 - p may not be the best with its own.
        let seeds = masks.isEmpty ? [first] : masks.sorted { $0.divergence < $1.divergence }.prefix(3).map(\.seed)
        var best: (model: BenchModel, options: LossyOptions, found: FactorFinder.Found?, divergence: Double)?
        for seed in calibration.rule == nil ? Array(seeds.prefix(1)) : seeds {
            var attempt = options
            attempt.seed = seed
            var model = try bench.code(attempt, tuning)
            var found: FactorFinder.Found?
            let plain = try place.calibration.judge(try bench.weights(model)).divergence ?? .infinity
            var divergence = plain
            if let rule = calibration.rule {
                let factors = try finder.find(model, rule, calibration.scope, multiplier: calibration.multiplier)
                model = try finder.applied(factors, to: model, tuning)
                found = factors
                divergence = try place.calibration.judge(try bench.weights(model)).divergence ?? .infinity
                if divergence > 1.02 * plain {
                    context.log.notice(
                        "the rule \(rule.rawValue) made the model worse than no rule would (divergence \(FactorFinder.rounded(divergence)) against \(FactorFinder.rounded(plain)) nats)"
                    )
                }
                attempt.rescale = .factors(factors.factors)
            }
            context.events?(
                Trial(
                    choice: calibration.choice(attempt), bytes: model.bytes, divergence: divergence, metric: nil,
                    passes: true))
            if divergence < best?.divergence ?? .infinity || best == nil {
                best = (model, attempt, found, divergence)
            }
        }
        guard let best else { throw SiltError(.fault, "no mask was tried; this is a bug in silt, please report it") }
        options = best.options
        if calibration.seeds > 1 { tuning.notes.append(("seeds", "\(calibration.seeds)")) }
        if let rule = calibration.rule {
            tuning.notes.append(("rule", rule.rawValue))
            if let multiplier = best.found?.multiplier { tuning.notes.append(("multiplier", "\(multiplier)")) }
        }
        return best.model
    }

    private func search(
        _ judge: GoalJudge, _ bench: Workbench, _ place: Judges?, _ base: Checkpoint
    ) throws(SiltError) -> LossyDecision? {
        let search = CandidateSearch(bench: bench, judges: judge, seeds: calibration.seeds, events: context.events)
        guard let winner = try search.run() else {
            context.log.notice("no lossy file smaller than the exact one meets the goal")
            return nil
        }
        guard winner.bytes < bench.exactBytes else { return nil }
        var tuning = winner.tuning
        if let evaluator = judge.evaluator, let value = winner.standing.metric {
            tuning.notes += evaluator.notes(value, base: try evaluator.measure(base: base.path))
        }
        if let place {
            // Coded anew, as the packer will.
            let model = try bench.code(winner.options, tuning)
            let passes = judge.isCostly ? true : try judge.judge(model, bench).passes
            guard passes else {
                throw SiltError(
                    .fault, "the file would miss the goal, although the candidate did; this is a bug in silt",
                    advice: "please report it, with the options and what \(option: .log) says")
            }
            tuning.evaluations = try evaluations(model, bench, place, base)
        }
        return LossyDecision(winner.options, tuning)
    }

    /// What the file records of the chosen candidate's answers.
    private func evaluations(
        _ model: BenchModel, _ bench: Workbench, _ place: Judges, _ base: Checkpoint
    ) throws(SiltError) -> [EvaluationRecord] {
        let weights = try bench.weights(model)
        var records: [EvaluationRecord] = []
        if let divergence = try place.calibration.judge(weights).divergence {
            records.append(
                EvaluationRecord(
                    data: place.calibrationDigest, use: .calibration, metric: "kl",
                    examples: place.calibration.examples, base: nil, fineTuned: 0, rebuilt: divergence))
        }
        if let judge = place.validation, let metric = judge.metric {
            // The base is measured where it can be: it may lack the head.
            var before: Double?
            do throws(SiltError) {
                let weights = try WeightTable(reading: base)
                before = try judge.judge(weights).value
            } catch  where error.code == .noMatch || error.code == .usage {
                context.log.debug("the base cannot be evaluated: \(error.text)")
            }
            records.append(
                EvaluationRecord(
                    data: place.validationDigest, use: .validation, metric: metric.name, examples: judge.examples,
                    base: before, fineTuned: try judge.judge(bench.fineTuned).value,
                    rebuilt: try judge.judge(weights).value))
        }
        return records
    }
}

extension CalibrationOptions.Goal {
    /// What the file says of it.
    package var words: String {
        switch self {
        case .metricWithin(let bound): "metric within \(bound)"
        case .divergenceWithin(let bound): "kl within \(bound)"
        case .sizeAtMost(let bytes): "at most \(bytes) bytes"
        }
    }
}
