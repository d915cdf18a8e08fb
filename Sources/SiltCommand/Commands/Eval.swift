internal import SiltEvaluation
internal import ArgumentParser
internal import TensorTypes

/// `silt eval`.
struct Eval: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure how well a model does its task.",
        discussion: """
            Runs the model on DATA: accuracy, F1 and Matthews correlation of classifiers, Pearson and Spearman \
            correlation of regressors, next-token loss, perplexity and top-1 accuracy of causal models. MODEL may be a \
            Silt file if --base is given: it is rebuilt in memory. DATA is a safetensors file with input_ids \
            [examples, length] (I32 or I64) and optionally attention_mask, token_type_ids and labels; --logits and \
            --against work without labels. --against FINETUNED also measures how far MODEL's outputs are from those of \
            the fine-tuned model: kl, in nats.

            Silt runs BERT, RoBERTa, DistilBERT, Llama, Mistral, Qwen2, Qwen3 and GPT-2. For any other model, \
            --evaluator 'CMD {model}' runs a command of yours; the last line of its output is a number, or JSON with \
            one.

            \(ExitStatus.help)
            """)

    @Argument(help: "The model: a directory in Hub layout, a .safetensors file beside a config.json, or a Silt file.")
    var model: String

    @Argument(help: "The data set: a safetensors file of token ids.")
    var data: String?

    @Option(help: "The base, if MODEL is a Silt file.")
    var base: String?

    @Option(help: "Also measure the divergence of MODEL's outputs from this checkpoint's (kl, in nats).")
    var against: String?

    @Option(help: "Read at most this many examples (default: all).")
    var examples: Int?

    @Option(help: "Write the outputs to this safetensors file: logits, or each token's loss.")
    var logits: String?

    @Option(help: "Write the gradient of the mean loss to this safetensors file: F32, named like the weights.")
    var gradients: String?

    @Flag(name: [.short, .long], help: "Replace the files of --logits and --gradients if they exist.")
    var force = false

    @Option(help: "A command that measures the model in the directory {model}.")
    var evaluator: String?

    @OptionGroup var work: WorkOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if (data == nil) == (evaluator == nil) {
            throw ValidationError("Give either DATA or --evaluator CMD.")
        }
        if evaluator != nil, examples != nil || logits != nil || gradients != nil || against != nil {
            throw ValidationError("--evaluator excludes --examples, --against, --logits and --gradients.")
        }
        if force, logits == nil, gradients == nil {
            throw ValidationError("--force requires --logits or --gradients.")
        }
        if let logits, logits == gradients {
            throw ValidationError("--logits and --gradients need different files.")
        }
        if let examples, examples < 1 { throw ValidationError("--examples must be at least 1.") }
    }

    func run() throws {
        let report = try work.run(common) { context in
            let judge = ModelEvaluator(context, examples: examples)
            if let evaluator { return try judge.evaluate(model: model, base: base, command: evaluator) }
            return try judge.evaluate(
                model: model, base: base, data: data ?? "", against: against, logits: logits, gradients: gradients,
                replaceExisting: force)
        }
        common.report(report.json, lines(report))
    }

    private func lines(_ report: EvaluationReport) -> [String] {
        var table = Table([.init(title: "metric", isNumber: false), .init(title: "value")])
        for measure in report.measures { table.add([measure.name, Eval.text(measure.value)]) }
        let examples = report.examples > 0 ? "\(Text.grouped(report.examples)) examples, " : ""
        let last = "\(examples)\(Text.decimal(report.seconds, 2)) s"
        guard !report.measures.isEmpty else { return ["no labels, so no metric", last] }
        return table.lines() + ["", last]
    }

    /// Four places, but for numbers that would lose their digits so.
    private static func text(_ value: Double) -> String {
        value == 0 || (0.001..<1e9).contains(abs(value)) ? Text.decimal(value, 4) : Text.short(value)
    }
}
