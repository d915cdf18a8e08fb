internal import SiltPacking
internal import ArgumentParser

/// Options of lossy packing.
struct LossyArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Prune or quantise the delta (contract lossy).",
            discussion: """
                random (DARE), magnitude, wanda (needs --calibration), columns, rows, nm, sign (BitDelta), dense, lowrank, transform; or a low-rank \
                method and what is kept of its residual, like lowrank+random.
                """, valueName: "method"))
    var method: MethodArgument?

    @Option(help: "Drop rate p: the share that is not kept, 0 to below 1 (default: 0.9).")
    var drop: Double?

    @Option(help: "Directions that method lowrank keeps of each matrix.")
    var rank: Int?

    @Option(help: "Share of the squared singular values that method lowrank keeps, without --rank (default: 0.9).")
    var energy: Double?

    @Option(help: "Coarseness of method transform: larger is smaller and worse (default: 1).")
    var quality: Double?

    @Option(help: "Rounding of method transform: 0 to nearest, above 0 towards zero, below 0 outwards (default: 0.7).")
    var deadZone: Double?

    @Flag(help: "Let method transform weigh errors by what they cost the model's answers on the --calibration data.")
    var curvature = false

    @Option(name: .customLong("pattern"), help: "n:m of method nm, like 2:4 (default).")
    var pattern: PatternArgument?

    @Option(help: "Seed of random choices (default: 0).")
    var seed: Int?

    @Option(
        help: ArgumentHelp(
            "Rescale factor q, by which kept values are divided (default: dare, which is 1 - p).",
            discussion: """
                A number, dare, or how data find it: labelled, unlabelled, kl, gradient, gradient-kl, analytic, \
                published, closed-form, least-squares. With method transform, gradient and gradient-kl give each \
                component its own.
                """))
    var q: RescaleArgument?

    @Option(help: "Type of the values (default: int4; for method sign: sign).")
    var values: LossyOptions.Values?

    @Option(help: "Quantised values that share a scale; 0 (default): one a tensor, for sign and factors one a row.")
    var group: Int?

    @Option(help: "How positions are stored: auto takes the smallest, seeded costs nothing (random choices only).")
    var mask: LossyOptions.Mask?

    @Option(help: "Where method magnitude looks for the largest elements (default: tensor).")
    var scope: LossyOptions.Scope?

    @Option(help: "How methods columns and rows choose (default: norm).")
    var choose: LossyOptions.Choice?

    @Option(
        help: "What becomes of norms, biases and other vectors (default: exact); method: integers of transform's steps."
    )
    var vectors: LossyOptions.Vectors?

    @Option(help: "What becomes of embeddings (default: exact).")
    var embeddings: LossyOptions.Embeddings?

    @Option(help: "What becomes of heads that the base has too, like lm_head (default: exact).")
    var heads: LossyOptions.Heads?

    @Option(help: "Only tensors whose names match this regular expression are lossy; also embeddings and heads.")
    var only: String?

    @Option(help: "Tensors whose names match this regular expression stay exact.")
    var except: String?

    func validate() throws {
        guard let method else {
            if isUsed { throw ValidationError("Options of lossy packing need --method.") }
            return
        }
        for (option, isGiven, isOfUse) in uses(method) where isGiven && !isOfUse {
            throw ValidationError("\(option) has no meaning with --method \(method.name).")
        }
    }

    /// Options that some methods have no use for: whether they are given, and whether the method has.
    private func uses(_ method: MethodArgument) -> [(String, Bool, Bool)] {
        let (factors, sparse) = (method.method, method.residual ?? method.method)
        let isStructured = sparse == .columns || sparse == .rows
        let isRandom = sparse == .random || (isStructured && choose == .random)
        return [
            ("--rank", rank != nil, factors == .lowrank), ("--energy", energy != nil, factors == .lowrank),
            ("--quality", quality != nil, factors == .transform),
            ("--dead-zone", deadZone != nil, factors == .transform),
            ("--curvature", curvature, factors == .transform), ("--pattern", pattern != nil, sparse == .nm),
            ("--drop", drop != nil, sparse == .random || sparse == .magnitude || sparse == .wanda || isStructured),
            ("--seed", seed != nil, isRandom), ("--scope", scope != nil, sparse == .magnitude),
            ("--choose", choose != nil, isStructured),
            (
                "--mask", mask != nil,
                sparse == .random || sparse == .magnitude || sparse == .wanda || sparse == .nm || isStructured
            ),
        ]
    }

    /// Whether options are given that choose among a checkpoint's tensors or their elements.
    var isForTensors: Bool {
        rank != nil || energy != nil || quality != nil || deadZone != nil || curvature || pattern != nil || mask != nil
            || scope != nil || choose != nil
            || vectors != nil || embeddings != nil || heads != nil || only != nil || except != nil
    }

    var isUsed: Bool {
        drop != nil || rank != nil || energy != nil || quality != nil || deadZone != nil || curvature || pattern != nil
            || seed != nil || q != nil
            || values != nil || group != nil || mask != nil || scope != nil || choose != nil || vectors != nil
            || embeddings != nil || heads != nil || only != nil || except != nil
    }

    /// The options, nil without a method.
    var options: LossyOptions? {
        guard let method else { return nil }
        var options = LossyOptions()
        options.method = method.method
        options.residual = method.residual
        if let drop { options.drop = drop }
        options.rank = rank
        if let energy { options.energy = energy }
        if let quality { options.quality = quality }
        if let pattern { (options.n, options.m) = (pattern.n, pattern.m) }
        if let seed { options.seed = seed }
        if let rescale = q?.rescale { options.rescale = rescale }
        if let deadZone { options.deadZone = deadZone }
        options.curvature = curvature
        options.values = values
        if let group { options.group = group }
        if let mask { options.mask = mask }
        if let scope { options.scope = scope }
        if let choose { options.choice = choose }
        if let vectors { options.vectors = vectors }
        if let embeddings { options.embeddings = embeddings }
        if let heads { options.heads = heads }
        (options.only, options.except) = (only, except)
        return options
    }
}
