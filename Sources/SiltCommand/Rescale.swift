internal import ArgumentParser
internal import Silt
internal import TensorTypes

/// `silt rescale`.
struct Rescale: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Change the rescale factor q of a lossy file; its chunks stay as they are.",
        discussion: """
            Kept values are stored as they were, and divided by q when the model is rebuilt, so a better q needs no second packing. \
            The digests of the result are not known afterwards: give the base with --base to compute them at once (and \
            --against for the receipt), or run `silt verify --update` later.

            \(ExitStatus.help)
            """)

    @Argument(help: "The Silt file, which is replaced.")
    var file: String

    @Option(help: "The new q: a number above 0, dare for 1 - p, or none.")
    var q: FactorArgument

    @Option(help: "Only tensors whose names match this regular expression.")
    var only: String?

    @Option(help: "The base, to recompute the digests.")
    var base: String?

    @Option(help: "The fine-tuned checkpoint, to recompute the receipt too.")
    var against: String?

    @OptionGroup var work: WorkOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if against != nil, base == nil { throw ValidationError("--against needs --base.") }
    }

    func run() throws {
        let report = try work.run(common) { context in
            try Rescaler(context).rescale(file, q: q.factor, only: only, base: base, fineTuned: against)
        }
        let digests =
            report.resultRoot.isEmpty ? "digests unknown: silt verify --update" : "result \(report.resultRoot)"
        common.report(
            report.json,
            [
                "q is \(q.factor) in \(Text.grouped(report.tensors)) tensors of \(file), "
                    + "\(Text.decimal(1000 * report.seconds, 1)) ms", digests,
            ])
    }
}

/// `dare`, `none` or a number.
struct FactorArgument: ExpressibleByArgument {
    let factor: Rescaler.Factor

    init?(argument: String) {
        switch argument {
        case "dare": factor = .dare
        case "none": factor = .none
        default:
            guard let q = Double(argument) else { return nil }
            factor = .value(q)
        }
    }
}
