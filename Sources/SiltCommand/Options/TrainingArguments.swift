internal import SiltTraining
internal import Transformers
internal import ArgumentParser

/// Options of what is trained.
struct TaskArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp("Data to train on: a safetensors file of token ids (see `silt eval`).", valueName: "data"))
    var train: String

    @Option(help: ArgumentHelp("Data to choose the best model by.", valueName: "data"))
    var validation: String

    @Option(help: "What to train the model for; auto: the labels decide.")
    var task = FineTuneOptions.Task.auto

    @Option(help: "Number of classes (default: that of BASE's head, else of the training data).")
    var labels: Int?

    @Option(help: "Class names for config.json, separated by commas.")
    var labelNames: String?

    @Flag(help: "Start with a new head even if BASE has one.")
    var newHead = false

    @Option(help: "Read at most this many examples of each data set (default: all).")
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
    @Option(help: "The optimizer: adamw, or adamr, which pulls the weights towards BASE.")
    var optimizer = FineTuneOptions.Optimizer.adamw

    @Option(help: "Strength of the pull towards BASE (adamr).")
    var pull: Double?

    @Option(help: "The norm to pull by: l2 pulls in proportion to the distance, l1 by the same amount everywhere.")
    var norm = FineTuneOptions.Norm.l2

    @Option(help: "What to divide the pull by: rms, the root of the mean second moment (as published), or none.")
    var pullScale = FineTuneOptions.PullScale.rms

    @Option(help: "Weight decay towards zero (adamw).")
    var weightDecay = 0.0

    @Option(help: "The largest learning rate.")
    var lr = 5e-5

    @Option(help: "The largest learning rate of layers that BASE lacks.")
    var headLr = 1e-3

    @Option(help: "How many times to go through the training data.")
    var epochs = 2

    @Option(help: "Examples per step.")
    var batch = 32

    @Option(help: "Seed for the order of examples and for new layers.")
    var seed: UInt64 = 0

    @Option(help: "Share of the steps during which the learning rate rises; after that it falls to 0.")
    var warmup = 0.06

    @Option(help: "Clip gradients to this norm; 0: do not clip.")
    var clip = 1.0

    @Option(help: ArgumentHelp("Steps between validations (default: one epoch).", valueName: "steps"))
    var validateEvery: Int?

    @Option(help: "Parts of a batch to compute in parallel; more threads than this do not help.")
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
