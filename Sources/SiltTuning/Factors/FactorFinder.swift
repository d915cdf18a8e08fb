internal import SiltPacking
internal import SiltEvaluation
internal import SiltReading
internal import DeltaCodecs
internal import DeltaPruning
internal import SiltFormat
internal import TensorTypes
internal import Transformers

/// Finds the rescale factors q of a candidate by any rule (Docs/Accuracy.md, "Finding q").
///
/// Rules by layer say nothing of how errors add up, so their factors are multiplied by a number that the whole model's
/// divergence chooses, and the caller compares the outcome with q = 1 - p.
struct FactorFinder {
    /// Candidates that a descent from tensor to tensor judges at most: a model of hundreds of tensors would never end.
    private static let descentLimit = 160

    let bench: Workbench
    /// Measures divergence and change.
    let calibration: ModelJudge
    /// Measures the metric; nil without labels.
    let validation: ModelJudge?
    let statistics: LayerStatistics?
    /// What errors cost; nil if no candidate asks.
    var curvature: CurvatureStatistics?

    /// Factors by tensor, and what they were found with.
    struct Found {
        var factors: [String: [Double]]
        /// What the rule's factors were multiplied by; for analytic rules eta.
        var multiplier: Double?
        /// The loss that is left, on examples that were held out; nil where the rule holds none.
        var remaining: Double?
        /// Candidates that were judged.
        var evaluations = 0
    }

    /// Finds the factors of the pruned tensors of `model`.
    func find(
        _ model: BenchModel, _ rule: CalibrationOptions.Rule, _ scope: CalibrationOptions.Scope?, multiplier: Double?
    ) throws(SiltError) -> Found {
        switch rule {
        case .labelled, .unlabelled, .kl:
            let found = try global(model, rule)
            guard scope == .tensor else { return found }
            return try descend(model, found, rule)
        case .analytic, .published:
            return try analytic(model, rule == .published ? .published : .sound, eta: multiplier)
        case .gradient: return try gradient(model, .largestLogits, scope ?? .tensor)
        case .gradientKL: return try gradient(model, .divergence, scope ?? .tensor)
        case .closedForm, .leastSquares:
            let factors =
                rule == .closedForm
                ? try closedForm(model, scope ?? .tensor) : try leastSquares(model, scope ?? .tensor)
            return try scaled(model, factors, multiplier)
        }
    }

    // MARK: - Searches by what the whole model answers

    /// One factor for all.
    private func global(_ model: BenchModel, _ rule: CalibrationOptions.Rule) throws(SiltError) -> Found {
        let keep = start(model)
        let names = pruned(model).map { bench.tensors[$0.index].name }
        func factors(_ q: Double) -> [String: [Double]] {
            Dictionary(uniqueKeysWithValues: names.map { ($0, [FactorFinder.rounded(q)]) })
        }
        func loss(_ q: Double) throws(SiltError) -> Double { try self.loss(model, factors(q), rule) }
        let trials: FactorTrials
        if rule == .kl {
            trials = try FactorRefinement(start: keep, evaluations: 18).search(loss)
        } else {
            // The paper's two stages, in steps that see what lies close to 1 - p.
            trials = try FactorGrid(lower: keep, upper: max(keep, min(1, 4 * keep)), step: keep / 4).search(loss)
        }
        return Found(factors: factors(trials.best.factor), multiplier: nil, evaluations: trials.all.count)
    }

    /// One factor after the other, from one for all.
    private func descend(
        _ model: BenchModel, _ start: Found, _ rule: CalibrationOptions.Rule
    ) throws(SiltError) -> Found {
        let tensors = pruned(model)
        let names = tensors.map { bench.tensors[$0.index].name }
        var current = start.factors
        var weights = try bench.weights(FactorFinder.rescaled(model, current, bench))
        func judge(_ index: Int, _ factor: Double) throws(SiltError) -> (Double, WeightTable) {
            let changed = tensors[index].rescaled(.all(FactorFinder.rounded(factor)))
            let table = try bench.weights([changed], in: weights)
            return (try loss(table, rule), table)
        }
        let first = try loss(weights, rule)
        // The largest tensors move most.
        let order = names.indices.sorted {
            bench.tensors[tensors[$0].index].info.elements > bench.tensors[tensors[$1].index].info.elements
        }
        let search = try CoordinateDescent(evaluations: min(4 * names.count, FactorFinder.descentLimit))
        let result = try search.search(
            order: order, factors: names.map { current[$0]?.first ?? 1 }, loss: first,
            loss: { (index, factor) throws(SiltError) in try judge(index, factor).0 },
            keep: { (index, factor) throws(SiltError) in
                weights = try judge(index, factor).1
                current[names[index]] = [FactorFinder.rounded(factor)]
            })
        return Found(factors: current, multiplier: nil, evaluations: start.evaluations + result.evaluations)
    }

    /// The best multiple of given factors, or the given multiple.
    private func scaled(
        _ model: BenchModel, _ factors: [String: [Double]], _ multiplier: Double?
    ) throws(SiltError) -> Found {
        func times(_ number: Double) -> [String: [Double]] {
            factors.mapValues { $0.map { FactorFinder.rounded($0 * number) } }
        }
        if let multiplier { return Found(factors: times(multiplier), multiplier: multiplier) }
        let trials = try FactorRefinement(start: 1, multipliers: [0.05, 0.1, 0.2, 0.4, 0.7, 1.4], evaluations: 16)
            .search { (number) throws(SiltError) in try loss(model, times(number), .kl) }
        let best = FactorFinder.rounded(trials.best.factor)
        return Found(factors: times(best), multiplier: best, evaluations: trials.all.count)
    }

    // MARK: - Rules by layer

    private func analytic(
        _ model: BenchModel, _ version: AnalyticalFactor.Version, eta: Double?
    ) throws(SiltError) -> Found {
        let drop = model.options.drop
        func factors(_ eta: Double) -> [String: [Double]] {
            layered(model) { layer, inputs, delta in
                let bias = layer.bias.flatMap { bench[$0] }?.deltaValues
                let factor = AnalyticalFactor(drop: drop, eta: eta, version: version).factor(
                    delta: delta.span, rows: layer.outputs, means: inputs.means,
                    bias: bias?.count == layer.outputs ? bias : nil)
                return [FactorFinder.rounded(factor)]
            }
        }
        if let eta { return Found(factors: factors(eta), multiplier: eta) }
        let trials = try FactorRefinement(start: 1, multipliers: [0.05, 0.1, 0.2, 0.4, 2, 4], evaluations: 16)
            .search { (eta) throws(SiltError) in try loss(model, factors(eta), .kl) }
        let best = FactorFinder.rounded(trials.best.factor)
        return Found(factors: factors(best), multiplier: best, evaluations: trials.all.count)
    }

    private func closedForm(
        _ model: BenchModel, _ scope: CalibrationOptions.Scope
    ) throws(SiltError) -> [String: [Double]] {
        let drop = model.options.drop
        var (elements, outputs) = (0.0, 0.0)
        var factors = layered(model) { layer, inputs, delta -> [Double]? in
            guard let energy = OutputEnergy(delta: delta.span, rows: layer.outputs, statistics: inputs) else {
                return nil
            }
            elements += energy.elements.reduce(0, +)
            outputs += energy.outputs.reduce(0, +)
            return scope == .row ? energy.rowFactors(drop: drop) : [energy.factor(drop: drop)]
        }
        if scope == .global, outputs > 0 {
            factors = factors.mapValues { _ in [1 - drop + drop * (elements / outputs)] }
        }
        return filled(model, factors)
    }

    private func leastSquares(
        _ model: BenchModel, _ scope: CalibrationOptions.Scope
    ) throws(SiltError) -> [String: [Double]] {
        var factors: [String: [Double]] = [:]
        var (own, all) = (0.0, 0.0)
        let fallback = model.options.q ?? 1
        for tensor in pruned(model) {
            let source = bench.tensors[tensor.index]
            guard let (layer, inputs) = statistics?[source.name], source.knownElements == source.info.elements
            else { continue }
            let masked = try values(tensor.rescaled(nil), source)
            let fit = LeastSquaresFit(
                delta: LayerStatistics.turned(source.deltaValues, layer).span,
                masked: LayerStatistics.turned(masked, layer).span, rows: layer.outputs, statistics: inputs)
            let number = fit.factor(fallback: fallback)
            // Rows of the stored matrix are what the format has factors for.
            factors[source.name] = scope == .row && !layer.isTransposed ? fit.rowFactors(fallback: fallback) : [number]
            own += number * Double(source.info.elements)
            all += Double(source.info.elements)
        }
        if scope == .global, all > 0 { factors = factors.mapValues { _ in [own / all] } }
        return filled(model, factors)
    }

    /// What `body` says of each pruned tensor that is a linear layer's weight.
    private func layered(
        _ model: BenchModel, _ body: (LinearLayer, InputStatistics, [Float]) -> [Double]?
    ) -> [String: [Double]] {
        var factors: [String: [Double]] = [:]
        for tensor in pruned(model) {
            let source = bench.tensors[tensor.index]
            guard let (layer, inputs) = statistics?[source.name], source.knownElements == source.info.elements
            else { continue }
            factors[source.name] = body(layer, inputs, LayerStatistics.turned(source.deltaValues, layer))
        }
        return factors
    }

    /// Factors for tensors that are no linear layer's: the mean of the others', as published.
    private func filled(_ model: BenchModel, _ factors: [String: [Double]]) -> [String: [Double]] {
        let means = factors.values.map { $0.reduce(0, +) / Double(max(1, $0.count)) }
        let mean = means.isEmpty ? start(model) : means.reduce(0, +) / Double(means.count)
        var factors = factors
        for tensor in pruned(model) where factors[bench.tensors[tensor.index].name] == nil {
            factors[bench.tensors[tensor.index].name] = [mean]
        }
        return factors
    }

    // MARK: - Candidates

    /// The tensors that q is about.
    func pruned(_ model: BenchModel) -> [BenchModel.Tensor] {
        model.tensors.filter { tensor in
            tensor.isMethod && tensor.components.contains { if case .sparse = $0 { true } else { false } }
        }
    }

    func start(_ model: BenchModel) -> Double { model.options.q ?? 1 }

    /// The kept values of a tensor, dense and not divided.
    func values(_ tensor: BenchModel.Tensor, _ source: BenchTensor) throws(SiltError) -> [Float] {
        var sum = [Float](repeating: 0, count: source.delta.count)
        let reader = MatrixReader(source: MemoryChunks(chunks: tensor.chunks.chunks), level: .best)
        for case .sparse(let matrix) in tensor.components {
            let dense = try FactorStore.dense(
                matrix, rows: source.delta.rows, columns: source.delta.columns, identity: source.name, reader)
            let start = unsafe dense.start.assumingMemoryBound(to: Float.self)
            for index in sum.indices { unsafe sum[index] += start[index] }
        }
        return sum
    }

    private func loss(
        _ model: BenchModel, _ factors: [String: [Double]], _ rule: CalibrationOptions.Rule
    ) throws(SiltError) -> Double {
        try loss(try bench.weights(FactorFinder.rescaled(model, factors, bench)), rule)
    }

    private func loss(_ weights: WeightTable, _ rule: CalibrationOptions.Rule) throws(SiltError) -> Double {
        guard rule == .labelled, let judge = validation, let metric = judge.metric else {
            let verdict = try calibration.judge(weights)
            return (rule == .unlabelled ? verdict.change : verdict.divergence) ?? .infinity
        }
        return -metric.score(try judge.judge(weights).value)
    }

    /// The candidate with these factors.
    static func rescaled(_ model: BenchModel, _ factors: [String: [Double]], _ bench: Workbench) -> BenchModel {
        var model = model
        for index in model.tensors.indices where model.tensors[index].isMethod {
            guard let list = factors[bench.tensors[model.tensors[index].index].name], let first = list.first else {
                continue
            }
            model.tensors[index] = model.tensors[index].rescaled(list.count > 1 ? .rows(list) : .all(first))
        }
        return model
    }

    /// Four significant digits: more would be bytes for nothing.
    static func rounded(_ value: Double) -> Double { value.rounded(digits: 4) }
}
