internal import SiltTuning
internal import ArgumentParser

/// Options of packing that data decide.
struct CalibrationArguments: ParsableArguments {
    @Option(
        help: "Data on which the model is run: a safetensors file of token ids (see `silt eval`), no labels needed.")
    var calibration: String?

    @Option(help: "Data with labels, on which choices are confirmed.")
    var validation: String?

    @Option(help: "Examples that are read of either at most (default: all).")
    var examples: Int?

    @Option(
        help:
            "What has a q of its own: global, tensor or row (default: tensor for rules by layer and gradient ones, else global)."
    )
    var per: CalibrationOptions.Scope?

    @Option(
        help:
            "What q of a rule by layer is multiplied by (for analytic rules: eta); default: what divergence says is best."
    )
    var multiplier: Double?

    @Option(help: "Masks that are tried; the one nearest to the fine-tuned model on the data is taken (default: 1).")
    var seeds: Int?

    @Flag(help: "Let biases take in the mean error of their layers.")
    var correctBias = false

    @Option(
        help: ArgumentHelp(
            "Find the smallest file whose metric, on the --validation data or by --evaluator, is worse by at most this: 0.5% or 0.005 of an accuracy, nats of a loss.",
            valueName: "bound"))
    var accuracyWithin: BoundArgument?

    @Option(
        help: ArgumentHelp(
            "Find the smallest file whose divergence from the fine-tuned model is at most this.", valueName: "nats"))
    var klWithin: Double?

    @Option(
        help: ArgumentHelp(
            "Find the file of at most this size that is nearest to the fine-tuned model: bytes, or like 40k or 1.5M.",
            valueName: "size"))
    var sizeAtMost: SizeArgument?

    @Option(
        help: ArgumentHelp(
            "With --accuracy-within, in place of --validation: a command that measures the model in directory {model}; its last line is a number, or JSON with one. Any architecture; one run a candidate.",
            valueName: "cmd"))
    var evaluator: String?

    @Flag(help: "Less of the evaluator's number is better.")
    var evaluatorLowerIsBetter = false

    func validate() throws {
        if [accuracyWithin != nil, klWithin != nil, sizeAtMost != nil].filter({ $0 }).count > 1 {
            throw ValidationError("Give one of --accuracy-within, --kl-within and --size-at-most.")
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
