internal import SiltFormat
internal import SiltEvaluation
internal import SiltReading
internal import Workers
internal import ArgumentParser
internal import SiltReports
internal import TensorTypes

/// `silt verify`.
struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check that a Silt file rebuilds what it promises.",
        discussion: """
            Rebuilds every tensor and file in memory and checks its digest and the base's. Nothing is written unless \
            you give --update or --report.

            With --against, every byte of every file is also compared with the fine-tuned checkpoint. Lossy tensors \
            are measured instead (relative L2 error, largest error, cosine, share of values that differ), and must be \
            as near as the file says.

            With --eval, the rebuilt model is run on data, and its metrics must be those recorded in the file.

            \(ExitStatus.help)
            """)

    @Argument(help: "The base that the file was packed against.")
    var base: String

    @Argument(help: "The Silt file.")
    var file: String

    @Option(help: "The fine-tuned checkpoint to compare with.")
    var against: String?

    @Flag(name: .customLong("sha256"), help: "Also recompute the SHA-256 of every file (single-threaded).")
    var sha256 = false

    @Flag(help: "First write digests (with --against, also receipts) that are unknown after rescale to the file.")
    var update = false

    @Option(help: "Run the rebuilt model on these data and compare with the metrics in the file (see `silt eval`).")
    var eval: String?

    @Option(help: "A command that measures the rebuilt model in the directory {model} (see `silt eval`).")
    var evaluator: String?

    @Option(
        help: ArgumentHelp(
            "Write a page about the file, as one HTML file: sizes, deltas and errors.", valueName: "page.html"))
    var report: String?

    @Flag(name: [.short, .long], help: "Replace the report if it exists.")
    var force = false

    @OptionGroup var work: WorkOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if force && report == nil { throw ValidationError("--force requires --report.") }
    }

    func run() throws {
        let (found, metrics) = try work.run(common) { try checked($0) }
        var members = found.json.members
        if eval != nil || evaluator != nil { members.append(.init("metrics", .array(metrics.map(\.json)))) }
        let isRight = metrics.allSatisfy { $0.isAsRecorded ?? true }
        common.report(
            .object(members),
            lines(found) + MetricTable.lines(metrics) + (report.map { ["wrote \($0)"] } ?? []))
        if !found.identical || !isRight { throw ExitStatus.different.code }
    }

    private func checked(_ context: WorkContext) throws -> (VerifyReport, [TaskCheck.Metric]) {
        // Before the work, which may be long: the name of the page must be free.
        let page = try report.map {
            try ReportFile(at: $0, base: base, file: file, against: against, replacing: force)
        }
        if update { try Rescaler(context).update(base: base, file: file, fineTuned: against) }
        let survey: FileReport?
        let found: VerifyReport
        if page != nil {
            let report = try FileReporter(context, checksSHA256: sha256)
                .report(base: base, file: file, against: against)
            (survey, found) = (report, report.verification)
        } else {
            survey = nil
            found = try Verifier(context, checksSHA256: sha256).verify(base: base, file: file, against: against)
        }
        var metrics: [TaskCheck.Metric] = []
        // What is not what it should be has no task to do.
        if found.identical {
            let task = TaskCheck(context)
            if let eval { metrics += try task.metrics(base: base, file: file, against: against, data: eval) }
            if let evaluator { metrics.append(try task.metric(base: base, file: file, command: evaluator)) }
        }
        if var survey, let page {
            survey.metrics = metrics
            try page.write(VerifyPage.html(survey))
        }
        return (found, metrics)
    }

    private func lines(_ report: VerifyReport) -> [String] {
        let checked = "\(Text.grouped(report.tensors)) tensors in \(Text.grouped(report.files)) files"
        let seconds = "\(Text.decimal(report.seconds, 2)) s"
        guard !report.identical else {
            let proof =
                report.contract == .lossy
                ? Verify.proof(report)
                : report.compared
                    ? "identical: every byte equals the fine-tuned checkpoint's"
                    : report.sha256Checked
                        ? "intact: every digest is right, including SHA-256"
                        : "intact: the digests of all tensors and files are right (--sha256 also checks SHA-256)"
            return [
                "\(proof)", "\(checked), \(Text.grouped(report.bytes)) bytes, \(seconds)",
                report.resultRoot.map { "result \($0)" } ?? "result unknown",
            ] + Verify.receipts(report)
        }
        let shown = report.differences.prefix(20).flatMap { difference -> [String] in
            let place = [difference.file, difference.tensor].compactMap { $0 }.joined(separator: ": ")
            return Text.wrapped("  \(place): \(difference.what)")
        }
        let more = report.differences.count - 20
        return ["DIFFERENT: \(Text.grouped(report.differences.count)) places (\(checked), \(seconds))"] + shown
            + (more > 0 ? ["  and \(Text.grouped(more)) more (see --json)"] : [])
    }

    private static func proof(_ report: VerifyReport) -> String {
        guard report.unknownDigests == 0 else {
            return
                "rebuilt, but \(Text.grouped(report.unknownDigests)) tensors have no digest to compare with (--update)"
        }
        return report.compared
            ? "as promised: digests and receipt are right, exact tensors equal the fine-tuned checkpoint's"
            : "intact: the digests of all tensors and files are right (contract lossy)"
    }

    /// How far the result is from the fine-tuned checkpoint: overall, and the tensors that are farthest.
    private static func receipts(_ report: VerifyReport) -> [String] {
        guard let overall = report.receipt else { return [] }
        var lines = Text.wrapped((report.compared ? "" : "according to the file: ") + Text.receipt(overall))
        guard !report.tensorReceipts.isEmpty else { return lines }
        var table = Table([
            .init(title: "farthest tensors", isNumber: false, canShrink: true), .init(title: "rel. L2"),
            .init(title: "largest"), .init(title: "cosine"), .init(title: "differ %"),
        ])
        for tensor in report.tensorReceipts.sorted(by: { $0.receipt.l2 > $1.receipt.l2 }).prefix(8) {
            table.add([
                Text.printable(tensor.name), Text.short(tensor.receipt.l2), Text.short(tensor.receipt.max),
                Text.short(tensor.receipt.cosine), Text.decimal(100 * tensor.receipt.changed, 1),
            ])
        }
        lines += [""] + table.lines()
        return lines
    }
}
