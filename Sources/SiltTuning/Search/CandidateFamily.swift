internal import TensorTypes
internal import SiltPacking

/// Ways of packing that differ by one knob: the higher the rung, the smaller and the worse.
struct CandidateFamily: Sendable {
    let name: String
    /// How many rungs the knob has.
    let rungs: Int
    /// Whether there is something between two rungs.
    var isContinuous = false
    /// Whether values are rounded with a dead zone, which is a knob of its own.
    var rounds = false
    /// The options at a rung.
    let options: @Sendable (_ rung: Double, _ common: LossyOptions) -> LossyOptions

    /// All families, those first that win most often: later ones then need one look each.
    ///
    /// - Parameter rank: the largest rank that every matrix has.
    static func all(rank: Int) -> [CandidateFamily] {
        [transform, random, lowRank(limit: rank), magnitude, dense, sign]
    }

    /// Singular directions, by what errors in them cost: quality 1/64 to 64, four rungs an octave.
    static let curvature = CandidateFamily(name: "curvature", rungs: 49, isContinuous: true, rounds: true) {
        rung, common in
        var options = common
        options.method = .transform
        options.curvature = true
        options.quality = rounded(0.015_625 * power(2, rung / 4))
        if options.vectors == .int4 { options.vectors = .method }
        return options
    }

    /// Singular directions, entropy-coded: quality 0.25 to 256, four rungs an octave.
    static let transform = CandidateFamily(name: "transform", rungs: 41, isContinuous: true, rounds: true) {
        rung, common in
        var options = common
        options.method = .transform
        options.quality = rounded(0.25 * power(2, rung / 4))
        return options
    }

    /// DARE with a seeded mask and int4 values: keep 1/2 to 1/1000, three rungs an octave.
    static let random = CandidateFamily(name: "random", rungs: 28, isContinuous: true) { rung, common in
        var options = common
        options.method = .random
        options.values = .int4
        options.drop = drop(rung)
        return options
    }

    /// The largest elements, int4.
    static let magnitude = CandidateFamily(name: "magnitude", rungs: 28, isContinuous: true) { rung, common in
        var options = common
        options.method = .magnitude
        options.values = .int4
        options.drop = drop(rung)
        return options
    }

    /// Truncated decompositions with int4 factors.
    static func lowRank(limit: Int) -> CandidateFamily {
        let ranks = [256, 192, 128, 96, 64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1].filter { $0 <= max(1, limit) }
        return CandidateFamily(name: "lowrank", rungs: ranks.count) { rung, common in
            var options = common
            options.method = .lowrank
            options.values = .int4
            options.rank = ranks[Int(rung)]
            return options
        }
    }

    /// Every element, quantised.
    static let dense = CandidateFamily(name: "dense", rungs: 3) { rung, common in
        var options = common
        options.method = .dense
        options.values = [.int8, .int4, .int2][Int(rung)]
        return options
    }

    /// Signs and a scale for each row.
    static let sign = CandidateFamily(name: "sign", rungs: 1) { _, common in
        var options = common
        options.method = .sign
        return options
    }

    private static func drop(_ rung: Double) -> Double {
        // 1 - 0.0124 is 0.9876 only after rounding.
        ((1 - rounded(0.5 * power(2, -rung / 3))) * 1e9).rounded() / 1e9
    }

    /// 2^exponent, for multiples of 1/96: the same on every machine.
    private static func power(_ base: Double, _ exponent: Double) -> Double {
        let whole = exponent.rounded(.down)
        var value = 1.0
        for _ in 0..<Int(abs(whole)) { value = whole < 0 ? value / base : value * base }
        // 2^(1/96): the rounding to three digits takes what powers of it differ by.
        for _ in 0..<Int(((exponent - whole) * 96).rounded()) { value *= 1.007_246_412_223_704 }
        return value
    }

    /// Three significant digits: what people read, and what the packer is told again.
    static func rounded(_ value: Double) -> Double { value.rounded(digits: 3) }
}
