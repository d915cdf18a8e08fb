internal import SiltPacking
internal import ArgumentParser

/// Options of lossy packing.
struct LossyArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Prune or quantise the delta (contract lossy).",
            discussion: """
                random (DARE), magnitude, wanda (needs --calibration), columns, rows, nm, sign (BitDelta), dense, \
                lowrank, transform; or a low-rank method plus one for what it leaves, such as lowrank+random.
                """, valueName: "method"))
    var method: MethodArgument?

    @Option(help: "Drop rate p: the share that is dropped, from 0 to below 1 (default: 0.9).")
    var drop: Double?

    @Option(help: "How many directions of each matrix method lowrank keeps.")
    var rank: Int?

    @Option(help: "Without --rank: share of the squared singular values that method lowrank keeps (default: 0.9).")
    var energy: Double?

    @Option(help: "Coarseness of method transform: larger values give smaller, worse files (default: 1).")
    var quality: Double?

    @Option(help: "Rounding of method transform: 0 to nearest, above towards zero, below away from it (default: 0.7).")
    var deadZone: Double?

    @Flag(help: "Make method transform weigh errors by their effect on the model's outputs on the --calibration data.")
    var curvature = false

    @Option(name: .customLong("pattern"), help: "n:m for method nm (default: 2:4).")
    var pattern: PatternArgument?

    @Option(help: "Seed of random choices (default: 0).")
    var seed: Int?

    @Option(
        help: ArgumentHelp(
            "Rescale factor q; kept values are divided by it (default: dare, which is 1 - p).",
            discussion: """
                A number, dare, or a rule that finds q with data: labelled, unlabelled, kl, gradient, gradient-kl, \
                analytic, published, closed-form, least-squares. With method transform, gradient and gradient-kl give \
                each component its own q.
                """))
    var q: RescaleArgument?

    @Option(help: "Type of the stored values (default: int4; for method sign: sign).")
    var values: LossyOptions.Values?

    @Option(help: "Values that share a scale; 0 (default): one scale per tensor, or per row for sign and factors.")
    var group: Int?

    @Option(help: "How positions are stored; auto takes the smallest, seeded (random choices only) takes no space.")
    var mask: LossyOptions.Mask?

    @Option(help: "Where method magnitude looks for the largest elements (default: tensor).")
    var scope: LossyOptions.Scope?

    @Option(help: "How methods columns and rows choose (default: norm).")
    var choose: LossyOptions.Choice?

    @Option(
        help: """
            What to do with norms, biases and other vectors (default: exact); method, with transform, stores them as \
            integers too.
            """)
    var vectors: LossyOptions.Vectors?

    @Option(help: "What to do with embeddings (default: exact).")
    var embeddings: LossyOptions.Embeddings?

    @Option(help: "What to do with heads that the base also has, such as lm_head (default: exact).")
    var heads: LossyOptions.Heads?

    @Option(help: "Make only tensors whose names match this regular expression lossy, embeddings and heads included.")
    var only: String?

    @Option(help: "Keep tensors whose names match this regular expression exact.")
    var except: String?

    func validate() throws {
        guard let method else {
            if isUsed { throw ValidationError("Options for lossy packing require --method.") }
            return
        }
        for (option, isGiven, isOfUse) in uses(method) where isGiven && !isOfUse {
            throw ValidationError("\(option) cannot be combined with --method \(method.name).")
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
