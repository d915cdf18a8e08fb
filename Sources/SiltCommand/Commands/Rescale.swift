internal import SiltReading
internal import ArgumentParser
internal import TensorTypes

/// `silt rescale`.
struct Rescale: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Change the rescale factor q of a lossy file without packing again.",
        discussion: """
            Kept values are stored undivided and are divided by q when the model is rebuilt, so changing q rewrites \
            only the manifest and the header. Afterwards the digests of the result are unknown: give --base to \
            recompute them right away (and --against for the receipt), or run `silt verify --update` later. \
            Evaluations in the file are removed.

            \(ExitStatus.help)
            """)

    @Argument(help: "The Silt file; it is replaced.")
    var file: String

    @Option(
        help: """
            The new q: a number above 0, dare (1 - p), none, or @FILE, a JSON object with one number, or an array with \
            one for each row, per tensor.
            """)
    var q: FactorArgument

    @Option(help: "Change only tensors whose names match this regular expression.")
    var only: String?

    @Option(help: "The base; recomputes the digests.")
    var base: String?

    @Option(help: "The fine-tuned checkpoint; recomputes the receipt too.")
    var against: String?

    @OptionGroup var work: WorkOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if against != nil, base == nil { throw ValidationError("--against requires --base.") }
    }

    func run() throws {
        let factor = try q.factor()
        let report = try work.run(common) { context in
            try Rescaler(context).rescale(file, q: factor, only: only, base: base, fineTuned: against)
        }
        let digests = report.resultRoot.map { "result \($0)" } ?? "digests unknown: run silt verify --update"
        var lines = [
            "q is \(factor) in \(Text.grouped(report.tensors)) tensors of \(file), "
                + "\(Text.decimal(1000 * report.seconds, 1)) ms", digests,
        ]
        if report.removedEvaluations > 0 {
            lines.append("evaluations removed: \(report.removedEvaluations) (they were measured with the old q)")
        }
        common.report(report.json, lines)
    }
}

/// `dare`, `none`, a number, or `@FILE`.
struct FactorArgument: ExpressibleByArgument {
    private enum Text {
        case factor(Rescaler.Factor)
        case file(String)
    }

    private let text: Text

    init?(argument: String) {
        switch argument {
        case "dare": text = .factor(.dare)
        case "none": text = .factor(.none)
        default:
            if argument.hasPrefix("@"), argument.count > 1 {
                text = .file(String(argument.dropFirst()))
            } else if let q = Double(argument) {
                text = .factor(.value(q))
            } else {
                return nil
            }
        }
    }

    /// The factor; reads the file.
    func factor() throws -> Rescaler.Factor {
        switch text {
        case .factor(let factor): return factor
        case .file(let path): return .tensors(try RescaleFactors.read(path))
        }
    }
}
