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
        guard let method, let options else {
            if isUsed { throw ValidationError("Options for lossy packing require --method.") }
            return
        }
        for given in given where !(given.option?.isOfUse(options) ?? true) {
            throw ValidationError("\(Flags.flag(given.name)) cannot be combined with --method \(method.name).")
        }
    }

    /// An option that is given.
    private struct Given {
        let name: String
        let set: (inout LossyOptions) -> Void

        /// nil if there is no value.
        init?<Value>(_ name: String, _ value: Value?, _ set: @escaping (inout LossyOptions, Value) -> Void) {
            guard let value else { return nil }
            self.name = name
            self.set = { set(&$0, value) }
        }

        /// What the library says of it.
        var option: LossyOption? { LossyOption.all.first { $0.name == name } }
    }

    /// What is given beside the method, by the library's names.
    private var given: [Given] {
        [
            Given("drop", drop) { $0.drop = $1 }, Given("rank", rank) { $0.rank = $1 },
            Given("energy", energy) { $0.energy = $1 }, Given("quality", quality) { $0.quality = $1 },
            Given("deadZone", deadZone) { $0.deadZone = $1 },
            Given("curvature", curvature ? true : nil) { $0.curvature = $1 },
            Given("pattern", pattern) { ($0.n, $0.m) = ($1.n, $1.m) }, Given("seed", seed) { $0.seed = $1 },
            Given("rescale", q) { options, q in if let rescale = q.rescale { options.rescale = rescale } },
            Given("values", values) { $0.values = $1 }, Given("group", group) { $0.group = $1 },
            Given("mask", mask) { $0.mask = $1 }, Given("scope", scope) { $0.scope = $1 },
            Given("choice", choose) { $0.choice = $1 }, Given("vectors", vectors) { $0.vectors = $1 },
            Given("embeddings", embeddings) { $0.embeddings = $1 }, Given("heads", heads) { $0.heads = $1 },
            Given("only", only) { $0.only = $1 }, Given("except", except) { $0.except = $1 },
        ].compactMap { $0 }
    }

    /// Whether options are given that choose among a checkpoint's tensors or their elements.
    var isForTensors: Bool { given.contains { !($0.option?.isForAdapters ?? false) } }

    /// Whether options beside the method are given.
    var isUsed: Bool { !given.isEmpty }

    /// The options, nil without a method.
    var options: LossyOptions? {
        guard let method else { return nil }
        var options = LossyOptions()
        (options.method, options.residual) = (method.method, method.residual)
        for given in given { given.set(&options) }
        return options
    }
}
