internal import SiltPacking
internal import TensorTypes

extension CandidateSearch {
    /// The candidate nearest to the fine-tuned model of those with at most `limit` bytes; nil if there is none.
    ///
    /// Each family is looked at where it just fits.
    func nearest(atMost limit: Int) throws(SiltError) -> Winner? {
        var common = LossyOptions()
        common.vectors = .int4
        common.heads = .method
        common.embeddings = .method
        let setting = Setting(common: common, correctsBias: judges.canCorrect)
        var best: Winner?
        for family in try families(common) {
            best = try nearer(best, family, setting, limit)
        }
        // What made it small enough may be had more cheaply elsewhere.
        var changes: [(inout Setting) -> Void] = [
            { $0.common.embeddings = .drop }, { $0.common.vectors = .drop }, { $0.common.deadZone = 0 },
            { $0.common.deadZone = -0.7 },
        ]
        if judges.canCorrect { changes.append { $0.correctsBias.toggle() } }
        for change in changes {
            guard let family = best?.family else {
                var attempt = setting
                change(&attempt)
                best = try nearer(best, CandidateFamily.transform, attempt, limit)
                continue
            }
            var attempt = best?.setting ?? setting
            change(&attempt)
            best = try nearer(best, family, attempt, limit)
        }
        // With a q for each component, the same bytes hold more: of singular directions, whatever was best without.
        if judges.canDescend {
            let family = judges.curvature == nil ? CandidateFamily.transform : .curvature
            var attempt = best?.setting ?? setting
            attempt.descends = true
            attempt.correctsBias = false
            if best?.family.name != family.name { attempt.common.deadZone = LossyOptions().deadZone }
            best = try nearer(best, family, attempt, limit)
        }
        for seed in 1..<max(1, seeds) where best?.family.name == "random" {
            guard let winner = best else { break }
            var attempt = winner.setting
            attempt.common.seed = seed
            best = try nearer(winner, winner.family, attempt, limit)
        }
        return best
    }

    /// The better of `best` and the family's first rung that fits.
    private func nearer(
        _ best: Winner?, _ family: CandidateFamily, _ setting: Setting, _ limit: Int
    ) throws(SiltError) -> Winner? {
        guard let first = try firstRung(family, setting, below: limit + 1, near: nil) else { return best }
        var rung = Double(first)
        if family.isContinuous, first > 0 {
            // Finer by parts of a rung, as long as it fits.
            var step = 0.5
            while step >= 0.125 {
                let options = family.options(rung - step, setting.common)
                if try bench.code(options, judges.tuning).bytes <= limit { rung -= step }
                step /= 2
            }
        }
        guard let found = try attempt(family, setting, rung) else { return best }
        guard let best else { return found }
        return (found.standing.divergence ?? .infinity) < (best.standing.divergence ?? .infinity) ? found : best
    }
}
