internal import SiltPacking
internal import TensorTypes

extension FactorFinder {
    /// Packs a candidate with one mask, finds q where a rule does, and gives the factors if it did.
    func make(
        _ candidate: SweepCandidate, seed: Int
    ) throws(SiltError) -> (model: BenchModel, factors: [String: [Double]]?) {
        var options = candidate.options
        options.seed = seed
        var tuning: LossyTuning?
        if options.method == .wanda, let statistics {
            tuning = LossyTuning()
            tuning?.norms = statistics.norms
        }
        if options.curvature {
            tuning = LossyTuning()
            tuning?.curvature = curvature
        }
        let model = try bench.code(options, tuning)
        guard let rule = candidate.rule else { return (model, nil) }
        let found = try find(model, rule, candidate.choice.scope, multiplier: candidate.choice.multiplier)
        return (try applied(found, to: model, tuning), found.factors)
    }

    /// The candidate with the factors that were found.
    ///
    /// Components have theirs in the scales that they are coded with, all others in the record.
    func applied(_ found: Found, to model: BenchModel, _ tuning: LossyTuning?) throws(SiltError) -> BenchModel {
        guard model.options.rescalesComponents else { return FactorFinder.rescaled(model, found.factors, bench) }
        var options = model.options
        options.rescale = .factors(found.factors)
        return try bench.code(options, tuning)
    }
}
