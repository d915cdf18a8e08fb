internal import SiltTraining
internal import ArgumentParser

/// `silt finetune`.
struct Finetune: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fine-tune a model on the CPU, optionally so that its delta prunes well.",
        discussion: """
            Trains all weights of BASE on the --train data, in F32, and writes the model that does best on the \
            --validation data to a directory that transformers can load. The labels decide the task: whole numbers \
            give a classifier, floating-point numbers a regressor, no labels a causal model (see `silt eval`). Layers \
            that BASE lacks are initialised with small normally distributed values.

            --optimizer adamr --pull L pulls the weights towards BASE during training: the delta is smaller, and `silt \
            pack --method random` can drop more of it (DAREx-L2).

            On one machine, the result is reproducible bit for bit from data, options and --seed, whatever the number \
            of threads. The training state is kept beside the output; --resume continues from it. Ctrl-C writes the \
            best model so far and exits with status 130.

            \(ExitStatus.help)
            """)

    @Argument(help: "The base: a directory in Hub layout, or a .safetensors file beside a config.json.")
    var base: String

    @OptionGroup(title: "Data and task") var task: TaskArguments

    @OptionGroup(title: "Training") var training: TrainingArguments

    @Option(name: [.short, .long], help: "The directory to write.")
    var output: String

    @Option(help: "Dtype of the weights to write.")
    var dtype = FineTuneOptions.StoredType.base

    @Option(help: "Which of the validated models to write.")
    var keep = FineTuneOptions.Kept.best

    @Option(help: ArgumentHelp("Where to keep the training state (default: OUTPUT.state).", valueName: "file"))
    var state: String?

    @Flag(help: "Continue from the state of an earlier run with the same options.")
    var resume = false

    @Flag(name: [.short, .long], help: "Replace the output and the training state if they exist.")
    var force = false

    @OptionGroup var work: WorkOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if resume && force { throw ValidationError("--resume continues and --force starts over: give only one.") }
    }

    func run() throws {
        var options = task.options
        training.set(&options)
        (options.stored, options.kept, options.state) = (dtype, keep, state)
        (options.resumes, options.replaceExisting) = (resume, force)
        let chosen = options
        let report = try work.run(common) { try FineTuner($0, chosen).train(base: base, to: output) }
        common.report(report.json, TrainingLines.lines(report, output))
    }
}
