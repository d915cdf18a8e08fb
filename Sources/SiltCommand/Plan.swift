internal import SiltTuning
internal import ArgumentParser
internal import TensorTypes

/// `silt plan`.
struct Plan: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a pair's deltas look like, what each way of packing would take, and which to choose.",
        discussion: """
            Nothing is written. The exact delta is packed into nowhere and every lossy method is tried on the deltas themselves, so \
            sizes are those that `silt pack` would write; of models with many layers, lossy methods see three layers of each kind.

            With --calibration, the model is run, and the pipeline of the paper DAREx is walked: every question is answered by a \
            measurement on this pair, the branches' ways of packing are measured, and the advice rests on them.

            \(ExitStatus.help)
            """)

    @Argument(help: "The base: a directory in Hub layout or a .safetensors file.")
    var base: String

    @Argument(help: "The fine-tuned checkpoint: likewise.")
    var finetuned: String

    @Option(
        help: "Data on which the model is run: a safetensors file of token ids (see `silt eval`), no labels needed.")
    var calibration: String?

    @Option(
        help: "Data with labels, on which the metric is measured (default: the calibration data, if they have labels).")
    var validation: String?

    @Option(help: "Examples that are read of either at most (default: all).")
    var examples: Int?

    @Flag(help: "Say that the model can be trained again.")
    var trainable = false

    @OptionGroup var work: WorkOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard calibration == nil else { return }
        for (name, isGiven) in [
            ("--validation", validation != nil), ("--examples", examples != nil), ("--trainable", trainable),
        ] where isGiven {
            throw ValidationError("\(name) has a meaning with --calibration DATA only.")
        }
    }

    func run() throws {
        let pipeline = calibration.map { path in
            var options = PipelineOptions(calibration: path)
            (options.validation, options.examples, options.isTrainable) = (validation, examples, trainable)
            return options
        }
        let report = try work.run(common) { context in
            try Planner(context).plan(base: base, fineTuned: finetuned, pipeline: pipeline)
        }
        common.report(report.json, lines(report))
    }

    private func lines(_ report: PlanReport) -> [String] {
        var groups = Table([
            .init(title: "deltas of", isNumber: false, canShrink: true), .init(title: "values"),
            .init(title: "mean"), .init(title: "std"), .init(title: "largest"), .init(title: "same %"),
            .init(title: "kurtosis"),
        ])
        for group in report.groups {
            groups.add([
                Text.printable(group.name), Text.grouped(group.parameters), Text.short(group.mean),
                Text.short(group.deviation), Text.short(group.largest), Text.decimal(100 * group.unchanged, 1),
                Text.decimal(group.kurtosis, 1),
            ])
        }
        var candidates = Table([
            .init(title: "silt pack", isNumber: false, canShrink: true), .init(title: "bytes"),
            .init(title: "x smaller"), .init(title: "bits"), .init(title: "rel. L2"),
        ])
        for candidate in report.candidates {
            let ratio = Double(report.fineTunedBytes) / Double(max(1, candidate.bytes))
            candidates.add([
                candidate.options.isEmpty ? "(exact)" : candidate.options, Text.grouped(candidate.bytes),
                Text.decimal(ratio, 2), Text.decimal(candidate.bitsPerParameter, 3),
                candidate.options.isEmpty ? "0" : Text.short(candidate.relativeL2),
            ])
        }
        let note =
            report.isSampled
            ? ["Lossy sizes come from three layers of each kind."]
            : [
                "Methods take \(Text.grouped(report.lossyParameters)) of \(Text.grouped(report.parameters)) values; the rest stays exact."
            ]
        let walked = report.pipeline.map { [""] + PipelineLines.lines($0) + [""] } ?? []
        let command = report.pipeline.map { ["", Text.printable($0.command)] } ?? []
        return groups.lines() + [""] + candidates.lines() + [""] + note.flatMap { Pack.wrapped($0) } + walked
            + report.advice.flatMap { Pack.wrapped($0) } + command
    }
}
