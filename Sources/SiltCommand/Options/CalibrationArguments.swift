internal import SiltTuning
internal import ArgumentParser

/// Options of packing that data decide.
struct CalibrationArguments: ParsableArguments {
    @Option(help: "Data to run the model on: a safetensors file of token ids (see `silt eval`); needs no labels.")
    var calibration: String?

    @Option(help: "Labelled data to measure the metric on.")
    var validation: String?

    @Option(help: "Read at most this many examples of each data set (default: all).")
    var examples: Int?

    @Option(
        help: """
            What gets its own q: global (one for all), tensor or row (default: tensor for layer-wise and gradient \
            rules, else global).
            """)
    var per: CalibrationOptions.Scope?

    @Option(
        help: """
            Multiplier for the q of layer-wise rules (for analytic and published: eta). Default: the one with the \
            least divergence.
            """)
    var multiplier: Double?

    @Option(help: "How many random masks to try; the one nearest to the fine-tuned model is kept (default: 1).")
    var seeds: Int?

    @Flag(help: "Correct the mean error of each layer in its bias.")
    var correctBias = false

    @Option(
        help: ArgumentHelp(
            """
            Find the smallest file whose metric, on the --validation data or by --evaluator, is worse by at most this: \
            0.5% or 0.005 for an accuracy, nats for a loss.
            """,
            valueName: "bound"))
    var accuracyWithin: BoundArgument?

    @Option(
        help: ArgumentHelp(
            "Find the smallest file whose divergence from the fine-tuned model is at most this.", valueName: "nats"))
    var klWithin: Double?

    @Option(
        help: ArgumentHelp(
            "Find the file nearest to the fine-tuned model that has at most this size: bytes, or 40k, 1.5M.",
            valueName: "size"))
    var sizeAtMost: SizeArgument?

    @Option(
        help: ArgumentHelp(
            """
            With --accuracy-within, instead of --validation: a command that measures the model in the directory \
            {model}. The last line of its output is a number, or JSON with one. Works for any architecture; runs once \
            per candidate.
            """,
            valueName: "cmd"))
    var evaluator: String?

    @Flag(help: "A lower number from the evaluator is better.")
    var evaluatorLowerIsBetter = false

    func validate() throws {
        if [accuracyWithin != nil, klWithin != nil, sizeAtMost != nil].filter({ $0 }).count > 1 {
            throw ValidationError("Give only one of --accuracy-within, --kl-within and --size-at-most.")
        }
    }

    /// The goal; nil without one.
    var goal: CalibrationOptions.Goal? {
        if let accuracyWithin { return .metricWithin(accuracyWithin.value) }
        if let klWithin { return .divergenceWithin(klWithin) }
        return sizeAtMost.map { .sizeAtMost($0.bytes) }
    }

    /// What the options and `--q` say; nil if there is nothing for data to decide.
    func options(_ rule: CalibrationOptions.Rule?) -> CalibrationOptions? {
        var options = CalibrationOptions()
        (options.calibration, options.validation, options.examples) = (calibration, validation, examples)
        (options.rule, options.scope, options.multiplier) = (rule, per, multiplier)
        if let seeds { options.seeds = seeds }
        options.correctsBias = correctBias
        options.goal = goal
        (options.evaluator, options.evaluatorLowerIsBetter) = (evaluator, evaluatorLowerIsBetter)
        return options.isUsed ? options : nil
    }
}

/// A share, like 0.5% or 0.005.
struct BoundArgument: ExpressibleByArgument {
    let value: Double

    init?(argument: String) {
        let isPercent = argument.hasSuffix("%")
        guard let number = Double(isPercent ? String(argument.dropLast()) : argument), number.isFinite, number >= 0
        else { return nil }
        value = isPercent ? number / 100 : number
    }
}

/// A number of bytes, like 40000, 40k or 1.5M.
struct SizeArgument: ExpressibleByArgument {
    let bytes: Int

    init?(argument: String) {
        let units: [Character: Double] = ["k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9]
        let unit = argument.last.flatMap { units[$0] }
        guard let number = Double(unit == nil ? argument : String(argument.dropLast())), number > 0,
            number * (unit ?? 1) < 1e18
        else { return nil }
        bytes = Int(number * (unit ?? 1))
    }
}
