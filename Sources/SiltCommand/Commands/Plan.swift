internal import Processes
internal import SiltFormat
internal import SiltTuning
internal import ArgumentParser
internal import TensorTypes

/// `silt plan`.
struct Plan: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a pair's deltas look like, how large each method's file would be, and which to choose.",
        discussion: """
            Nothing is written. The exact delta is packed and discarded, and every lossy method is tried on the actual \
            deltas, so the sizes are those of the files that `silt pack` would write. For models with many layers, \
            lossy sizes are extrapolated from three layers of each kind.

            With --calibration, silt runs the model and follows the decision pipeline of the DAREx paper: each \
            question is answered by a measurement on this pair, the candidates are measured too, and the advice is \
            based on the results.

            \(ExitStatus.help)
            """)

    @Argument(help: "The base: a directory in Hub layout or a .safetensors file.")
    var base: String

    @Argument(help: "The fine-tuned checkpoint, in the same form.")
    var finetuned: String

    @Option(help: "Data to run the model on: a safetensors file of token ids (see `silt eval`); needs no labels.")
    var calibration: String?

    @Option(help: "Labelled data to measure the metric on (default: the calibration data, if they have labels).")
    var validation: String?

    @Option(help: "Read at most this many examples of each data set (default: all).")
    var examples: Int?

    @Flag(help: "The model can be trained again: begin with advice on that.")
    var trainable = false

    @OptionGroup var work: WorkOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard calibration == nil else { return }
        for (name, isGiven) in [
            ("--validation", validation != nil), ("--examples", examples != nil), ("--trainable", trainable),
        ] where isGiven {
            throw ValidationError("\(name) requires --calibration.")
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

    /// The command line that packs what is recommended.
    private func commandLine(_ way: PipelineReport.Way) -> String {
        let name = finetuned.split(separator: "/").last { $0 != "." && $0 != ".." }.map(String.init) ?? "model"
        let stem = name.hasSuffix(".safetensors") ? String(name.dropLast(12)) : name
        let words = ["silt", "pack", base, finetuned, "-o", "\(stem).silt"].map(ShellWord.quoted)
        let options = way.choice.map {
            [Flags.text($0, calibration: calibration, validation: validation, examples: examples)]
        }
        return (words + (options ?? [])).joined(separator: " ")
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
                candidate.choice.map { Flags.text($0) } ?? "(exact)", Text.grouped(candidate.bytes),
                Text.decimal(ratio, 2), Text.decimal(candidate.bitsPerParameter, 3),
                candidate.contract == .exact ? "0" : Text.short(candidate.relativeL2),
            ])
        }
        let note =
            report.isSampled
            ? ["Lossy sizes are extrapolated from three layers of each kind."]
            : [
                "Methods apply to \(Text.grouped(report.lossyParameters)) of \(Text.grouped(report.parameters)) values; the rest stay exact."
            ]
        let walked = report.pipeline.map { [""] + PipelineLines.lines($0) + [""] } ?? []
        let command = report.pipeline.map { ["", Text.printable(commandLine($0.best))] } ?? []
        return groups.lines() + [""] + candidates.lines() + [""] + note.flatMap { Text.wrapped($0) } + walked
            + report.advice.flatMap { Text.wrapped(AdviceLines.sentence($0, metric: report.pipeline?.metric)) }
            + command
    }
}
