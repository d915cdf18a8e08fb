internal import Processes
internal import SiltReading
internal import SiltEvaluation
internal import SiltPacking
internal import Workers
internal import Logging
internal import Safetensors
internal import ByteSources
internal import TensorTypes
internal import Transformers

/// Walks the paper's pipeline for a pair: measures what each node asks for, and what each branch gives.
struct PipelineWalker {
    private let context: WorkContext
    private let options: PipelineOptions
    private let bench: Workbench
    private let judges: Judges
    private let finder: FactorFinder
    private let tensors: Int

    /// The pair packed exactly.
    var exact: Packing { bench.exact }

    /// Reads the pair and the data, and runs the fine-tuned model.
    ///
    /// - Throws: `usage` if the fine-tuned model is an adapter, or the data are not for the model.
    init(
        base: String, fineTuned: String, _ options: PipelineOptions, _ context: WorkContext
    ) throws(SiltError) {
        try options.check()
        (self.options, self.context) = (options, context)
        guard DirectoryListing.kind(of: "\(fineTuned)/adapter_config.json") != .file else {
            throw SiltError(
                .usage, "an adapter cannot be run by itself: the pipeline is walked for whole checkpoints",
                file: fineTuned,
                advice:
                    "pack it with \(option: .adapter) ADAPTER (\(option: .method) random \(option: .rescale) Q for LoRA with DAREx-q), or merge it"
            )
        }
        let checkpoint = try Checkpoint.asResult(fineTuned)
        tensors = checkpoint.tensors.count
        let configuration = try ModelLoader(context).configuration(of: checkpoint)
        bench = try Workbench(PackPair(base: base, checkpoint), context)
        judges = try Judges(options.data, configuration, bench.fineTuned, context.pool)
        let statistics = try LayerStatistics(
            configuration, bench.fineTuned, judges.calibration.data, wantsGram: true, context.pool)
        finder = FactorFinder(
            bench: bench, calibration: judges.calibration, validation: judges.validation, statistics: statistics)
    }

    /// Walks.
    func walk() throws(SiltError) -> PipelineReport {
        let labelled = judges.validation
        let metric = labelled?.metric
        let fineTunedMetric = try labelled?.judge(bench.fineTuned).value
        let exact = PipelineReport.Way(
            name: "exact", choice: nil, bytes: bench.exactBytes, divergence: 0, metric: fineTunedMetric)
        var walk = PipelineWalk()
        walk.isTrainable = options.isTrainable
        walk.isDecoder = judges.calibration.isDecoder
        walk.tensors = tensors
        if let labelled, let metric {
            walk.labels = (metric.name, labelled.examples, options.validation != nil)
        }
        guard let (test, without) = try test(fineTunedMetric) else {
            return report(walk, exact: exact, ways: [], choice: exact, nil, without: (0, fineTunedMetric))
        }
        walk.test = test
        var ways: [PipelineReport.Way] = []
        var chosen: [PipelineWay: PipelineReport.Way] = [:]
        let kinds = PipelineWay.allCases.filter {
            $0.applies(hasLabels: metric != nil, isDecoder: walk.isDecoder, isLarge: test.isLarge)
        }
        let meter = ProgressMeter("trying", total: kinds.count * bench.fineTunedBytes, context.progress)
        for kind in kinds {
            let candidate = kind.candidate(drop: walk.drop, hasLabels: metric != nil)
            let way = try measure(candidate, try finder.make(candidate, seed: 0).model)
            walk.outcomes[kind] = PipelineWalk.Outcome(divergence: way.divergence, metric: way.metric)
            ways.append(way)
            chosen[kind] = way
            meter.add(bench.fineTunedBytes, way.name)
        }
        let choice = walk.way.flatMap { chosen[$0] } ?? exact
        let standard = PipelineWay.transform(quality: 1)
        ways.append(try measure(standard, try bench.code(standard.options)))
        if let (candidate, model) = try rival(atMost: choice.bytes), candidate.options.quality != 1 {
            ways.append(try measure(candidate, model))
        }
        let alternative = ways.filter { $0.bytes <= choice.bytes && $0.choice != choice.choice }
            .min { $0.divergence < $1.divergence }
        return report(
            walk, exact: exact, ways: ways, choice: choice, alternative, without: (test.without, without))
    }

    /// Whether plain DARE hurts, and the metric of the model without its delta; nil if nothing moved.
    private func test(_ fineTunedMetric: Double?) throws(SiltError) -> (DeltaTest, Double?)? {
        let first = try bench.code(PipelineWay.test(seed: 0))
        guard !first.tensors.isEmpty else { return nil }
        var bare = first
        bare.tensors = first.tensors.map {
            BenchModel.Tensor(index: $0.index, isMethod: $0.isMethod, components: [], chunks: ComponentChunks())
        }
        let without = try judge(try bench.weights(bare))
        var masks: [(divergence: Double, verdict: Verdict?)] = []
        for seed in 0..<DeltaTest.masks {
            let model = seed == 0 ? first : try bench.code(PipelineWay.test(seed: seed))
            masks.append(try judge(try bench.weights(model)))
        }
        func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(1, values.count)) }
        var metric: DeltaTest.Metric?
        if let kind = judges.validation?.metric, let fineTunedMetric, let other = without.verdict {
            metric = DeltaTest.Metric(
                metric: kind, fineTuned: fineTunedMetric, plain: mean(masks.compactMap { $0.verdict?.value }),
                without: other.value, uncertainty: mean(masks.compactMap { $0.verdict?.uncertainty }))
            let expected = masks.compactMap { $0.verdict?.expectedLoss }
            metric?.expected = expected.isEmpty ? nil : mean(expected)
        }
        let test = DeltaTest(
            plain: mean(masks.map(\.divergence)), without: without.divergence, metric: metric)
        return (test, without.verdict?.value)
    }

    /// The transform coder with the finest quality that takes at most so many bytes, from 1/64 to 4096, within 5 %.
    private func rival(atMost bytes: Int) throws(SiltError) -> (candidate: SweepCandidate, model: BenchModel)? {
        var best: (candidate: SweepCandidate, model: BenchModel)?
        func fits(_ quality: Double) throws(SiltError) -> Bool {
            let candidate = PipelineWay.transform(quality: quality)
            let model = try bench.code(candidate.options)
            guard model.bytes <= bytes else { return false }
            best = (candidate, model)
            return true
        }
        // From 1 on, finer while it fits, or coarser until it does.
        var quality = 1.0
        if try fits(quality) {
            while quality > 1 / 64, try fits(quality / 2) { quality /= 2 }
        } else {
            repeat {
                quality *= 2
                if try fits(quality) { break }
            } while quality < 4_096
        }
        guard best != nil, quality > 1 / 64 else { return best }
        var (coarse, fine) = (quality, quality / 2)
        for _ in 0..<4 {
            let middle = FactorFinder.rounded((coarse * fine).squareRoot())
            if try fits(middle) { coarse = middle } else { fine = middle }
        }
        return best
    }

    /// Divergence on the calibration data, and what the labelled data say.
    private func judge(_ weights: WeightTable) throws(SiltError) -> (divergence: Double, verdict: Verdict?) {
        let verdict = try judges.calibration.judge(weights)
        let divergence = verdict.divergence ?? .infinity
        guard let labelled = judges.validation else { return (divergence, nil) }
        return (divergence, labelled === judges.calibration ? verdict : try labelled.judge(weights))
    }

    private func measure(_ candidate: SweepCandidate, _ model: BenchModel) throws(SiltError) -> PipelineReport.Way {
        let found = try judge(try bench.weights(model))
        return PipelineReport.Way(
            name: candidate.method, choice: candidate.choice, bytes: model.bytes, divergence: found.divergence,
            metric: found.verdict?.value)
    }

    private func report(
        _ walk: PipelineWalk, exact: PipelineReport.Way, ways: [PipelineReport.Way], choice: PipelineReport.Way,
        _ alternative: PipelineReport.Way?, without: (divergence: Double, metric: Double?)
    ) -> PipelineReport {
        let advice = PipelineAdvice(
            isTrainable: options.isTrainable, choice: choice, alternative: alternative, exact: exact,
            metric: judges.validation?.metric, without: without.divergence)
        return PipelineReport(
            steps: walk.steps, ways: [exact] + ways, choice: choice, alternative: alternative,
            recommended: advice.recommended, advice: advice.all, metric: walk.labels?.metric,
            fineTunedMetric: exact.metric,
            metricWithoutDelta: without.metric, divergenceWithoutDelta: without.divergence,
            examples: judges.calibration.examples)
    }
}
