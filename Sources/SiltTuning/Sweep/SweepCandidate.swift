internal import SiltPacking
internal import SiltReading
internal import TensorTypes

/// A row of a sweep that is to be measured.
struct SweepCandidate: Sendable {
    /// What it is called.
    let method: String
    /// How it is made; a mask's seed is chosen later.
    var choice: PackingChoice

    /// A row; without a rule, q is as the options say.
    init(
        method: String, options: LossyOptions, rule: CalibrationOptions.Rule? = nil,
        scope: CalibrationOptions.Scope? = nil, multiplier: Double? = nil
    ) {
        self.method = method
        choice = PackingChoice(options, rule: rule, scope: scope, multiplier: multiplier)
    }

    /// Below this drop rate, factors that descend tensor by tensor gain nothing that is worth their time.
    private static let descends = 0.95

    var options: LossyOptions { choice.lossy }
    var rule: CalibrationOptions.Rule? { choice.rule }

    /// Whether each mask has a result of its own.
    var isRandom: Bool { options.isRandom && options.drop > 0 }

    /// The rows that `sweep` asks for, method by method.
    ///
    /// - Throws: `usage` if none of them is called as `pattern` says.
    static func all(_ sweep: SweepOptions, matching pattern: NamePattern) throws(SiltError) -> [SweepCandidate] {
        var common = LossyOptions()
        (common.vectors, common.embeddings) = (sweep.vectors, sweep.embeddings)
        let rows = sweep.rows == .quick ? quick(common, sweep.drops) : full(common, sweep.drops)
        let chosen = rows.filter { pattern.matches($0.method) }
        guard chosen.isEmpty, !rows.isEmpty else { return chosen }
        var names: [String] = []
        for row in rows where !names.contains(row.method) { names.append(row.method) }
        throw SiltError(
            .usage, "no method's name matches \"\(sweep.methods ?? "")\"",
            advice: "the methods are: \(names.joined(separator: "; "))")
    }

    private static func quick(_ common: LossyOptions, _ drops: [Double]) -> [SweepCandidate] {
        dropping("DARE", common, drops) + dropping("DAREx-q kl", common, drops, .kl)
            + dropping("magnitude, fitted", with(common, .magnitude), drops, .leastSquares, multiplier: 1)
            + [sign(common)] + ranks("low rank", common, .int4) + qualities(common) + curved(common, [0.5, 2])
    }

    private static func full(_ common: LossyOptions, _ drops: [Double]) -> [SweepCandidate] {
        var published = common
        published.values = .bf16
        var rows = dropping("DARE (as published)", published, drops) + dropping("DARE", common, drops)
        rows += dropping("DAREx-q kl (as published)", published, drops, .kl)
        rows += dropping("DAREx-q labelled", common, drops, .labelled)
        rows += dropping("DAREx-q unlabelled", common, drops, .unlabelled)
        rows += dropping("DAREx-q kl", common, drops, .kl)
        rows += dropping("DAREx-q kl, per tensor", common, drops.filter { $0 >= descends }, .kl, .tensor)
        rows += dropping("DAREx-q gradient", common, drops.filter { $0 >= descends }, .gradient)
        rows += dropping("DAREx-q gradient-kl", common, drops.filter { $0 >= descends }, .gradientKL)
        rows += dropping("DAREx-q analytic", common, drops, .analytic)
        rows += dropping("DAREx-q analytic, as the paper's program", common, drops, .published)
        rows += dropping("closed form", common, drops, .closedForm, multiplier: 1)
        rows += dropping("closed form, tuned", common, drops, .closedForm)
        rows += dropping("least squares, tuned", common, drops, .leastSquares)
        for (name, method) in [("magnitude", LossyOptions.Method.magnitude), ("WANDA", .wanda), ("columns", .columns)] {
            rows += dropping(name, with(common, method), drops)
            rows += dropping("\(name), fitted", with(common, method), drops, .leastSquares, multiplier: 1)
        }
        rows.append(sign(common))
        rows += ranks("low rank (as published)", common, .bf16) + ranks("low rank", common, .int4)
        rows += qualities(common) + curved(common, [0.125, 0.25, 0.5, 1, 2, 4])
        rows += descending(qualities(common)) + descending(curved(common, [0.5, 1, 2, 4, 8]))
        var mixed = with(common, .lowrank)
        (mixed.residual, mixed.rank) = (.random, 2)
        return rows + dropping("low rank 2 + DARE", mixed, drops)
    }

    private static func with(_ common: LossyOptions, _ method: LossyOptions.Method) -> LossyOptions {
        var options = common
        options.method = method
        return options
    }

    /// A row for each drop rate.
    ///
    /// At p = 0 nothing is dropped, so that there is no q and nothing to choose: that row is random drop's alone.
    private static func dropping(
        _ name: String, _ options: LossyOptions, _ drops: [Double], _ rule: CalibrationOptions.Rule? = nil,
        _ scope: CalibrationOptions.Scope? = nil, multiplier: Double? = nil
    ) -> [SweepCandidate] {
        let isWhole = rule == nil && options.elementMethod == .random
        return drops.filter { $0 > 0 || isWhole }.map { drop in
            var options = options
            options.drop = drop
            options.values = options.values ?? .int4
            return SweepCandidate(method: name, options: options, rule: rule, scope: scope, multiplier: multiplier)
        }
    }

    private static func sign(_ common: LossyOptions) -> SweepCandidate {
        SweepCandidate(method: "sign (as published)", options: with(common, .sign))
    }

    private static func ranks(
        _ name: String, _ common: LossyOptions, _ values: LossyOptions.Values
    ) -> [SweepCandidate] {
        [1, 2, 4, 8, 16].map { rank in
            var options = with(common, .lowrank)
            (options.rank, options.values) = (rank, values)
            return SweepCandidate(method: name, options: options)
        }
    }

    private static func qualities(_ common: LossyOptions) -> [SweepCandidate] {
        [1, 2, 4, 8, 16].map { quality in
            var options = with(common, .transform)
            options.quality = quality
            return SweepCandidate(method: "transform", options: options)
        }
    }

    private static func curved(_ common: LossyOptions, _ qualities: [Double]) -> [SweepCandidate] {
        qualities.map { quality in
            var options = with(common, .transform)
            (options.quality, options.curvature) = (quality, true)
            // Integers of 4 bits are the vectors of all other rows; here they have the method's own steps.
            if options.vectors == .int4 { options.vectors = .method }
            return SweepCandidate(method: "transform, curvature", options: options)
        }
    }

    /// The same with a q for each component.
    private static func descending(_ rows: [SweepCandidate]) -> [SweepCandidate] {
        rows.map { row in
            SweepCandidate(method: "\(row.method), gradient-kl", options: row.options, rule: .gradientKL)
        }
    }
}
