internal import SiltTraining
internal import Transformers
public import ArgumentParser

/// Options of what is trained.
struct TaskArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp("Data to train on: a safetensors file of token ids (see `silt eval`).", valueName: "data"))
    var train: String

    @Option(help: ArgumentHelp("Data by which the best model is chosen.", valueName: "data"))
    var validation: String

    @Option(help: "What the model is trained for; auto: what the labels say.")
    var task = FineTuneOptions.Task.auto

    @Option(help: "Classes (default: those of BASE's head, else of the training data).")
    var labels: Int?

    @Option(help: "Names of the classes for config.json, separated by commas.")
    var labelNames: String?

    @Flag(help: "Begin with a new head even if BASE has one.")
    var newHead = false

    @Option(help: "Examples of either data set that are read at most (default: all).")
    var examples: Int?

    /// The options with these.
    var options: FineTuneOptions {
        var options = FineTuneOptions(train: train, validation: validation)
        (options.task, options.labels, options.makesNewHead) = (task, labels, newHead)
        options.labelNames = labelNames.map { $0.split(separator: ",").map(String.init) } ?? []
        options.examples = examples
        return options
    }
}

/// Options of how it is trained.
struct TrainingArguments: ParsableArguments {
    @Option(help: "What moves the weights: adamw, or adamr with its pull towards BASE.")
    var optimizer = FineTuneOptions.Optimizer.adamw

    @Option(help: "Strength of the pull towards BASE (adamr).")
    var pull: Double?

    @Option(help: "What the pull shortens: l2 in proportion to the distance, l1 by the same amount everywhere.")
    var norm = FineTuneOptions.Norm.l2

    @Option(help: "What the pull is divided by: rms, the root of the mean second moment (as published), or none.")
    var pullScale = FineTuneOptions.PullScale.rms

    @Option(help: "Decay towards zero (adamw).")
    var weightDecay = 0.0

    @Option(help: "The largest learning rate.")
    var lr = 5e-5

    @Option(help: "That of layers that BASE lacks.")
    var headLr = 1e-3

    @Option(help: "How often every example is met.")
    var epochs = 2

    @Option(help: "Examples of a step.")
    var batch = 32

    @Option(help: "Seed of the order of examples and of new layers.")
    var seed: UInt64 = 0

    @Option(help: "Share of the steps in which the learning rate rises; then it falls to 0.")
    var warmup = 0.06

    @Option(help: "Largest norm of a gradient; 0: any.")
    var clip = 1.0

    @Option(help: ArgumentHelp("Steps between validations (default: an epoch).", valueName: "steps"))
    var validateEvery: Int?

    @Option(help: "Parts into which a batch is cut, to be computed at once: more threads than these are of no use.")
    var groups = 4

    func set(_ options: inout FineTuneOptions) {
        (options.optimizer, options.decay) = (optimizer, weightDecay)
        (options.pull, options.norm, options.pullScale) = (pull, norm, pullScale)
        (options.rate, options.newRate, options.warmUp, options.clip) = (lr, headLr, warmup, clip)
        (options.epochs, options.batch, options.seed) = (epochs, batch, seed)
        (options.validateEvery, options.groups) = (validateEvery, groups)
    }
}

extension FineTuneOptions.Optimizer: ExpressibleByArgument {}
extension FineTuneOptions.Norm: ExpressibleByArgument {}
extension FineTuneOptions.PullScale: ExpressibleByArgument {}
extension FineTuneOptions.Task: ExpressibleByArgument {}
extension FineTuneOptions.StoredType: ExpressibleByArgument {}
extension FineTuneOptions.Kept: ExpressibleByArgument {}
