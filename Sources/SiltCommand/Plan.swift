internal import ArgumentParser
internal import Silt
internal import TensorTypes

/// `silt plan`.
struct Plan: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a pair's deltas look like, what each way of packing would take, and which to choose.",
        discussion: """
            Nothing is written. The exact delta is packed into nowhere and every lossy method is tried on the deltas themselves, so \
            sizes are those that `silt pack` would write; of models with many layers, lossy methods see three layers of each kind.

            \(ExitStatus.help)
            """)

    @Argument(help: "The base: a directory in Hub layout or a .safetensors file.")
    var base: String

    @Argument(help: "The fine-tuned checkpoint: likewise.")
    var finetuned: String

    @OptionGroup var work: WorkOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let report = try work.run(common) { context in
            try Planner(context).plan(base: base, fineTuned: finetuned)
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
        return groups.lines() + [""] + candidates.lines() + [""] + note.flatMap { Pack.wrapped($0) }
            + report.advice.flatMap { Pack.wrapped($0) }
    }
}

extension PlanReport {
    /// The object that `plan --json` prints.
    var json: JSONValue {
        .members([
            "finetuned_bytes": .integer(fineTunedBytes), "parameters": .integer(parameters),
            "lossy_parameters": .integer(lossyParameters), "sampled": .bool(isSampled), "seconds": .number(seconds),
            "groups": .array(
                groups.map {
                    .members([
                        "name": .string($0.name), "tensors": .integer($0.tensors),
                        "parameters": .integer($0.parameters),
                        "mean": .number($0.mean), "std": .number($0.deviation), "largest": .number($0.largest),
                        "unchanged": .number($0.unchanged), "kurtosis": .number($0.kurtosis),
                    ])
                }),
            "candidates": .array(
                candidates.map {
                    .members([
                        "options": .string($0.options), "contract": .string($0.options.isEmpty ? "exact" : "lossy"),
                        "bytes": .integer($0.bytes), "bits_per_parameter": .number($0.bitsPerParameter),
                        "relative_l2": .number($0.relativeL2),
                    ])
                }),
            "advice": .array(advice.map { .string($0) }),
        ])
    }
}
