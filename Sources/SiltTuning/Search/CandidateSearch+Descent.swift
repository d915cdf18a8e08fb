internal import SiltPacking
internal import TensorTypes

extension CandidateSearch {
    /// Rungs that the first look leaves out: an octave, about what factors of their own are worth.
    private static let stride = 4.0

    /// Looks on with a q for each component, where that goes further than all else.
    ///
    /// Quantised directions fall short of the delta, all in the same sense, and that costs most of their divergence; a gradient
    /// sets them right. A look takes as long as many others, so that there are few: by octaves, then by halves of what is
    /// too far.
    func descend(_ winner: Winner, _ setting: Setting) throws(SiltError) -> Winner {
        guard judges.canDescend else { return winner }
        let family = judges.curvature == nil ? CandidateFamily.transform : .curvature
        var setting = setting
        setting.descends = true
        // What biases could take in, components take in for nothing.
        setting.correctsBias = false
        setting.common.seed = LossyOptions().seed
        guard let first = try firstRung(family, setting, below: winner.bytes, near: winner) else { return winner }
        var best = winner
        // The first rung that is small enough stands for one that was tried: the next is what one hopes for.
        var (good, bad, step) = (Double(first), Double(family.rungs), CandidateSearch.stride)
        while step >= (judges.isCostly ? 1 : 0.5) {
            guard good + step < bad else {
                step /= 2
                continue
            }
            if let found = try attempt(family, setting, good + step, below: best.bytes) {
                (best, good) = (found, good + step)
            } else {
                bad = good + step
            }
        }
        // None of those: the first itself.
        guard best.setting.descends else {
            return try attempt(family, setting, Double(first), below: winner.bytes) ?? winner
        }
        return best
    }
}

extension CandidateSearch.Setting {
    /// How the same can be had again.
    func choice(_ options: LossyOptions) -> PackingChoice {
        PackingChoice(options, rule: descends ? .gradientKL : nil, correctsBias: correctsBias)
    }
}
