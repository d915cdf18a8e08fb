internal import DeltaPruning
internal import SiltEvaluation
internal import SiltPacking
internal import SiltReading
package import Workers
internal import Logging
internal import Safetensors
package import TensorTypes
internal import Transformers

/// Packs one pair in many ways, in memory, and measures each: bytes, metric, divergence from the fine-tuned model.
package struct Sweeper: Sendable {
    /// Threads, log, progress and cancellation.
    package var context: WorkContext
    /// What is tried, and on which data.
    package var options: SweepOptions

    /// A sweeper.
    package init(_ context: WorkContext, _ options: SweepOptions) {
        (self.context, self.options) = (context, options)
    }

    /// What all rows have in common.
    private struct Place {
        let bench: Workbench
        let finder: FactorFinder
        /// Measures what the report says; tunes nothing unless there are no test data.
        let test: ModelJudge
    }

    /// What one mask gives.
    private struct Measure {
        let bytes: Int
        let metric: Double
        let divergence: Double
        let rescale: Double?
    }

    /// Tries every row, and tells each once it is measured.
    ///
    /// A row that cannot be made (a rank that no matrix has, answers that are no numbers) is left out, with a notice.
    /// - Throws: `usage` if options contradict each other, or the data are not for the model.
    package func sweep(base: String, fineTuned: String) throws(SiltError) -> SweepReport {
        try check()
        let wanted = try SweepCandidate.all(options, matching: NamePattern(options.methods))
        let clock = ContinuousClock()
        let begin = clock.now
        let checkpoint = try Checkpoint.asResult(fineTuned)
        let configuration = try ModelLoader(context).configuration(of: checkpoint)
        let bench = try Workbench(PackPair(base: base, checkpoint), context)
        let candidates = try wanted.map { (row) throws(SiltError) in try sparing(row, bench) }
        let place = try place(bench, configuration, candidates)
        guard let metric = place.test.metric else {
            throw SiltError(
                .usage, "the test data have no labels to measure a metric with", file: options.test,
                advice: "add a tensor `labels` [examples]")
        }
        let runs = candidates.map { $0.isRandom ? options.seeds : 1 }
        let meter = ProgressMeter(
            "sweeping", total: runs.reduce(0, +) * bench.fineTunedBytes, context.progress)
        var rows: [SweepReport.Row] = []
        for (candidate, runs) in zip(candidates, runs) {
            let name = candidate.method
            do throws(SiltError) {
                var measures: [Measure] = []
                for seed in 0..<runs {
                    measures.append(try measure(candidate, seed: seed, place))
                    meter.add(bench.fineTunedBytes, name)
                }
                let row = Sweeper.row(candidate, measures)
                rows.append(row)
                context.events?(row)
            } catch  where error.code == .usage {
                context.log.notice("left out: \(name), \(candidate.choice.words): \(error.text)")
            }
        }
        return SweepReport(
            metric: metric.name, higherIsBetter: metric.higherIsBetter, examples: place.test.examples,
            data: Sweeper.name(options.test ?? options.validation), base: Sweeper.name(base),
            fineTuned: Sweeper.name(fineTuned), baseMetric: try baseMetric(base, place.test),
            fineTunedMetric: try place.test.judge(bench.fineTuned).value, fineTunedBytes: bench.fineTunedBytes,
            exactBytes: bench.exactBytes, parameters: bench.parameters, seeds: options.seeds,
            seconds: begin.duration(to: clock.now).inSeconds, rows: rows)
    }

    private func check() throws(SiltError) {
        guard (1...1_000).contains(options.seeds) else {
            throw SiltError(.usage, "1 to 1000 seeds can be tried, found \(options.seeds)")
        }
        if let examples = options.examples, examples < 1 {
            throw SiltError(.usage, "at least one example is needed, found \(examples)")
        }
        for drop in options.drops where !(drop >= 0 && drop < 1) {
            throw SiltError(.usage, "a drop rate p must be at least 0 and below 1, found \(drop)")
        }
    }

    /// The row without the few matrices that are smaller than its rank (embeddings of token types): those stay exact.
    private func sparing(_ candidate: SweepCandidate, _ bench: Workbench) throws(SiltError) -> SweepCandidate {
        guard let rank = candidate.options.rank else { return candidate }
        let small = try bench.tensors(below: rank, candidate.options)
        let elements = small.compactMap { bench[$0]?.info.elements }.reduce(0, +)
        // More than a hundredth: rather no row than one about another thing.
        guard !small.isEmpty, elements <= bench.parameters / 100 else { return candidate }
        var candidate = candidate
        let names = small.map { name in name.map { $0 == "." ? "\\." : String($0) }.joined() }
        candidate.choice.lossy.except = "^(\(names.joined(separator: "|")))$"
        return candidate
    }

    private func place(
        _ bench: Workbench, _ configuration: ModelConfiguration, _ candidates: [SweepCandidate]
    ) throws(SiltError) -> Place {
        var data = CalibrationOptions()
        (data.calibration, data.validation) = (options.calibration, options.validation)
        data.examples = options.examples
        let judges = try Judges(data, configuration, bench.fineTuned, context.pool)
        let test: ModelJudge
        if let path = options.test {
            test = try ModelJudge(
                configuration, bench.fineTuned, try ModelEvaluator.read(path, nil), context.pool)
            try test.remember(bench.fineTuned)
        } else {
            test = judges.validation ?? judges.calibration
        }
        let byLayer: Set<CalibrationOptions.Rule> = [.analytic, .published, .closedForm, .leastSquares]
        var statistics: LayerStatistics?
        if candidates.contains(where: { $0.options.method == .wanda || $0.rule.map(byLayer.contains) == true }) {
            statistics = try LayerStatistics(
                configuration, bench.fineTuned, judges.calibration.data, wantsGram: true, context.pool)
        }
        var finder = FactorFinder(
            bench: bench, calibration: judges.calibration, validation: judges.validation, statistics: statistics)
        if candidates.contains(where: \.options.curvature) {
            finder.curvature = try CurvatureStatistics(
                configuration, bench.fineTuned, judges.calibration.data, context.pool)
        }
        return Place(bench: bench, finder: finder, test: test)
    }

    /// Packs with one mask, finds q where a rule does, and measures once.
    private func measure(_ candidate: SweepCandidate, seed: Int, _ place: Place) throws(SiltError) -> Measure {
        let (model, factors) = try place.finder.make(candidate, seed: seed)
        var rescale = candidate.options.isPruning ? candidate.options.q : nil
        if let factors {
            // In the order of the names: a dictionary's differs from run to run, and with it the rounding of the sum.
            let means = factors.sorted { $0.key < $1.key }
                .map { $0.value.reduce(0, +) / Double(max(1, $0.value.count)) }
            rescale = means.isEmpty ? nil : means.reduce(0, +) / Double(means.count)
        }
        let verdict = try place.test.judge(try place.bench.weights(model))
        return Measure(
            bytes: model.bytes, metric: verdict.value, divergence: verdict.divergence ?? .nan, rescale: rescale)
    }

    private static func row(_ candidate: SweepCandidate, _ measures: [Measure]) -> SweepReport.Row {
        let factors = measures.compactMap(\.rescale)
        return SweepReport.Row(
            method: candidate.method, choice: candidate.choice,
            bytes: .init(measures.map { Double($0.bytes) }), metric: .init(measures.map(\.metric)),
            divergence: .init(measures.map(\.divergence)), rescale: factors.isEmpty ? nil : .init(factors))
    }

    /// The metric of the base; nil where it lacks the head.
    private func baseMetric(_ base: String, _ judge: ModelJudge) throws(SiltError) -> Double? {
        do throws(SiltError) {
            return try judge.judge(try WeightTable(reading: try Checkpoint.asBase(base))).value
        } catch  where error.code == .noMatch || error.code == .usage {
            context.log.debug("the base cannot be evaluated: \(error.text)")
            return nil
        }
    }

    /// The last part of a path.
    private static func name(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }
}
