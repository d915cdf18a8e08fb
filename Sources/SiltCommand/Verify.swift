internal import ArgumentParser
internal import Silt
internal import TensorTypes

/// `silt verify`.
struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check that a Silt file gives back what went in, without writing anything.",
        discussion: """
            Rebuilds every tensor and file in memory and checks its digest, and the base's. With --against, every byte of every \
            file is also compared with the fine-tuned checkpoint.

            \(ExitStatus.help)
            """)

    @Argument(help: "The base that was packed against.")
    var base: String

    @Argument(help: "The Silt file.")
    var file: String

    @Option(help: "The fine-tuned checkpoint to compare with.")
    var against: String?

    @Flag(name: .customLong("sha256"), help: "Recompute the SHA-256 of every file too (one thread).")
    var sha256 = false

    @OptionGroup var work: WorkOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let report = try work.run(common) { context in
            try Verifier(context, checksSHA256: sha256).verify(base: base, file: file, against: against)
        }
        common.report(report.json, lines(report))
        if !report.identical { throw ExitStatus.different.code }
    }

    private func lines(_ report: VerifyReport) -> [String] {
        let checked = "\(Text.grouped(report.tensors)) tensors in \(Text.grouped(report.files)) files"
        let seconds = "\(Text.decimal(report.seconds, 2)) s"
        guard !report.identical else {
            let proof =
                report.compared
                ? "identical: every byte equals the fine-tuned checkpoint's"
                : report.sha256Checked
                    ? "intact: every digest is right, SHA-256 too"
                    : "intact: the digests of all tensors and files are right (--sha256 checks SHA-256 too)"
            return [
                "\(proof)", "\(checked), \(Text.grouped(report.bytes)) bytes, \(seconds)",
                "result \(report.resultRoot)",
            ]
        }
        let shown = report.differences.prefix(20).flatMap { difference -> [String] in
            let place = [difference.file, difference.tensor].compactMap { $0 }.joined(separator: ": ")
            return Pack.wrapped("  \(place): \(difference.what)")
        }
        let more = report.differences.count - 20
        return ["DIFFERENT: \(Text.grouped(report.differences.count)) places (\(checked), \(seconds))"] + shown
            + (more > 0 ? ["  and \(Text.grouped(more)) more (see --json)"] : [])
    }
}
