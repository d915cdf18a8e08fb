internal import SiltTraining
internal import Workers
internal import ArgumentParser
internal import TensorTypes

/// `silt finetune`.
struct Finetune: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fine-tune a model on the CPU, also so that its delta prunes well.",
        discussion: """
            Trains all weights of BASE on the --train data, in F32, and writes the model that is best on the --validation data \
            to a directory that transformers loads. Data with whole numbers as labels make a classifier, with floating-point \
            ones a regressor, without labels a causal model (see `silt eval`). Layers that BASE lacks begin as small normal \
            numbers.

            --optimizer adamr --pull L pulls weights towards BASE while they are trained: the delta is smaller, and \
            `silt pack --method random` may drop more of it (DAREx-L2).

            Data, options and --seed decide every bit of the result on one machine, not the number of threads. The state of the \
            training is kept beside the output; --resume goes on from it. Ctrl-C leaves the best model so far, exit code 130.

            \(ExitStatus.help)
            """)

    @Argument(help: "The base: a directory in Hub layout, or a .safetensors file beside a config.json.")
    var base: String

    @OptionGroup(title: "Data and task") var task: TaskArguments

    @OptionGroup(title: "Training") var training: TrainingArguments

    @Option(name: [.short, .long], help: "The directory to write.")
    var output: String

    @Option(help: "Type of the weights that are written.")
    var dtype = FineTuneOptions.StoredType.base

    @Option(help: "Which of the validated models is written.")
    var keep = FineTuneOptions.Kept.best

    @Option(help: ArgumentHelp("Where the training's state is kept (default: OUTPUT.state).", valueName: "file"))
    var state: String?

    @Flag(help: "Go on from the state of the same training.")
    var resume = false

    @Flag(name: [.short, .long], help: "Replace the output, and a state, if they exist.")
    var force = false

    @OptionGroup var work: WorkOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if resume && force { throw ValidationError("--resume goes on, --force begins anew.") }
    }

    func run() throws {
        var options = task.options
        training.set(&options)
        (options.stored, options.kept, options.state) = (dtype, keep, state)
        (options.resumes, options.replaceExisting) = (resume, force)
        let context = WorkContext(threads: work.workers, log: common.log, cancellation: Interruption.cancellation)
        let bar = Terminal.isWatched && !common.quiet ? TrainingBar() : nil
        let isTold = common.verbose || bar != nil
        let report = try FineTuner(context, options).train(base: base, to: output) { event in
            switch event {
            case .step: bar?.update(event)
            case .validation:
                bar?.clear()
                if isTold { Terminal.complain(TrainingLines.line(of: event)) }
            }
        }
        bar?.clear()
        common.report(report.json, TrainingLines.lines(report, output))
        if report.isInterrupted {
            Terminal.complain(
                "error: interrupted: stopped on request; \(output) holds the best model so far (--resume goes on)")
            throw ExitStatus.interrupted.code
        }
    }
}
