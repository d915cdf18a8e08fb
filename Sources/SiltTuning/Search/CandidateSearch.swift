internal import SiltPacking
internal import DeltaPruning
internal import Workers
internal import TensorTypes
internal import Transformers

/// Finds the smallest way of packing that keeps to a goal.
///
/// Within a family quality falls as the knob is turned, so a family is asked one question first: does it keep to the goal where it
/// is as small as the best so far? Most do not, and are done with. Those that do are turned on until they do not.
///
/// Where a look is costly, because a command measures, some are left out: of other dead zones all but one, and the finest
/// turn of the knob.
struct CandidateSearch {
    let bench: Workbench
    let judges: GoalJudge
    /// Masks that are tried where random drop is near the best.
    let seeds: Int
    /// Told of each candidate once it was tried.
    let events: WorkContext.EventHandler?

    /// A candidate that keeps to the goal.
    struct Winner {
        var options: LossyOptions
        var tuning: LossyTuning
        var bytes: Int
        var rung: Double
        var family: CandidateFamily
        var setting: Setting
        var standing: GoalJudge.Standing
    }

    /// What is tried beside the knob.
    struct Setting: Sendable {
        var common: LossyOptions
        var correctsBias = false
        /// Whether each component has a q of its own, found down the divergence's gradient.
        var descends = false
    }

    /// The smallest; nil if no lossy file smaller than the exact one keeps to the goal.
    func run() throws(SiltError) -> Winner? {
        // Sizes are known to a percent before the file is written.
        if case .sizeAtMost(let bytes) = judges.goal { return try nearest(atMost: bytes - bytes / 100) }
        var common = LossyOptions()
        common.vectors = .int4
        common.heads = .method
        common.embeddings = try embeddingsMayGo(common) ? .drop : .method
        var setting = Setting(common: common, correctsBias: judges.canCorrect)
        let families = try families(common)
        var best: Winner?
        for family in families {
            guard let found = try climb(family, setting, below: best?.bytes, from: best) else { continue }
            if let best, found.bytes >= best.bytes { continue }
            best = found
        }
        guard var winner = best else {
            // What a rule of thumb gave up may be what it takes.
            guard setting.common.embeddings == .drop else { return nil }
            setting.common.embeddings = .method
            for family in families {
                if let found = try climb(family, setting, below: best?.bytes, from: best) { best = found }
            }
            return best
        }
        try refine(&winner, &setting)
        return try descend(try polish(winner), setting)
    }

    /// All families that can be tried.
    func families(_ common: LossyOptions) throws(SiltError) -> [CandidateFamily] {
        let all = CandidateFamily.all(rank: try bench.smallestExtent(common))
        return judges.curvature == nil ? all : [CandidateFamily.curvature] + all
    }

    /// Turns the knob of a continuous family once more, by less than a rung.
    private func polish(_ winner: Winner) throws(SiltError) -> Winner {
        guard winner.family.isContinuous else { return winner }
        var (best, step) = (winner, 0.5)
        while step >= (judges.isCostly ? 0.25 : 0.125) {
            if let found = try attempt(best.family, best.setting, best.rung + step, below: best.bytes) { best = found }
            step /= 2
        }
        return best
    }

    /// Turns one setting after the other, and keeps what makes the file smaller.
    private func refine(_ winner: inout Winner, _ setting: inout Setting) throws(SiltError) {
        var changes: [(inout Setting) -> Void] = []
        if winner.family.rounds {
            changes.append { $0.common.deadZone = 0 }
            if !judges.isCostly { changes += [{ $0.common.deadZone = -0.7 }, { $0.common.deadZone = 0.35 }] }
        }
        let embeddings = setting.common.embeddings
        changes.append { $0.common.embeddings = embeddings == .drop ? .method : .drop }
        changes.append { $0.common.vectors = .drop }
        if judges.canCorrect { changes.append { $0.correctsBias.toggle() } }
        for change in changes {
            var attempt = setting
            change(&attempt)
            guard let found = try climb(winner.family, attempt, below: winner.bytes, from: winner) else { continue }
            (winner, setting) = (found, attempt)
        }
        guard seeds > 1 else { return }
        // Of random drop, which is often close: the best of several masks goes further.
        var best = winner
        for seed in 1..<seeds where winner.family.name == "random" || winner.family.name == "transform" {
            var attempt = setting
            attempt.common.seed = seed
            attempt.common.deadZone = LossyOptions().deadZone
            guard let found = try climb(CandidateFamily.random, attempt, below: best.bytes, from: best) else {
                continue
            }
            best = found
        }
        winner = best
    }

    /// Whether the model bears that its embeddings stay the base's: with all else fine-tuned, half of what the goal allows.
    private func embeddingsMayGo(_ common: LossyOptions) throws(SiltError) -> Bool {
        var options = common
        options.embeddings = .drop
        options.vectors = .exact
        options.method = .dense
        options.values = .f32
        return try judges.isWithin(half: try bench.code(options), bench)
    }

    /// The smallest of a family that keeps to the goal and is smaller than `limit`.
    private func climb(
        _ family: CandidateFamily, _ setting: Setting, below limit: Int?, from best: Winner?
    ) throws(SiltError) -> Winner? {
        var low = 0
        if let limit {
            // The first rung that is small enough; sizes fall from rung to rung.
            guard let first = try firstRung(family, setting, below: limit, near: best) else { return nil }
            low = first
        }
        guard var winner = try attempt(family, setting, Double(low)) else { return nil }
        // Steps that double, then halving: winners are rarely far from the first, unless that is the very first.
        var (good, bad, step) = (low, family.rungs, 1)
        let halves = judges.isCostly && limit == nil
        while good + 1 < bad {
            let next = bad == family.rungs && !halves ? min(good + step, family.rungs - 1) : (good + bad) / 2
            if let found = try attempt(family, setting, Double(next)) {
                (winner, good) = (found, next)
                step *= 2
            } else {
                bad = next
            }
        }
        return winner
    }

    /// The first rung whose file has fewer than `limit` bytes; nil if there is none.
    func firstRung(
        _ family: CandidateFamily, _ setting: Setting, below limit: Int, near best: Winner?
    ) throws(SiltError) -> Int? {
        func bytes(_ rung: Int) throws(SiltError) -> Int {
            try bench.code(family.options(Double(rung), setting.common), judges.tuning).bytes
        }
        var (low, high) = (-1, family.rungs - 1)
        // The same family, with another setting, is as small at about the same rung.
        if let best, best.family.name == family.name {
            let rung = Int(best.rung)
            if try bytes(rung) < limit {
                high = rung
                if rung > 0, try bytes(rung - 1) >= limit { return rung }
            } else {
                low = rung
            }
        }
        guard try bytes(high) < limit else {
            guard high < family.rungs - 1, try bytes(family.rungs - 1) < limit else { return nil }
            (low, high) = (high, family.rungs - 1)
            return try bisect(low, high, limit, bytes)
        }
        return try bisect(low, high, limit, bytes)
    }

    private func bisect(
        _ low: Int, _ high: Int, _ limit: Int, _ bytes: (Int) throws(SiltError) -> Int
    ) throws(SiltError) -> Int {
        var (low, high) = (low, high)
        while low + 1 < high {
            let middle = (low + high) / 2
            if try bytes(middle) < limit { high = middle } else { low = middle }
        }
        return high
    }

    /// Tries a rung; nil if it does not keep to the goal, or has `limit` bytes and more.
    func attempt(
        _ family: CandidateFamily, _ setting: Setting, _ rung: Double, below limit: Int = .max
    ) throws(SiltError) -> Winner? {
        let options = family.options(rung, setting.common)
        var tuning = judges.tuning
        var model = try bench.code(options, tuning)
        guard model.bytes < limit else { return nil }
        if setting.correctsBias { model = try judges.corrected(model, bench, &tuning) }
        var expected = 0.0
        if setting.descends {
            (model, expected) = try judges.descended(model, bench, tuning)
            tuning.notes.append(("rule", CalibrationOptions.Rule.gradientKL.rawValue))
        }
        guard model.bytes < limit else { return nil }
        let standing = try judges.judge(model, bench, expected: expected)
        events?(
            Trial(
                choice: setting.choice(options), bytes: model.bytes, divergence: standing.divergence,
                metric: standing.metric, passes: standing.passes))
        guard standing.passes else { return nil }
        return Winner(
            options: model.options, tuning: tuning, bytes: model.bytes, rung: rung, family: family,
            setting: setting, standing: standing)
    }
}
