internal import SiltPacking
internal import SiltReading
internal import ArgumentParser
internal import TensorTypes

/// `silt squash`.
struct Squash: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fold a chain of Silt files into one exact delta of the first base.",
        discussion: """
            The result of each file is the base of the next. The new file gives back the last result bit for bit; if a \
            link was lossy, that is the lossy result.

            \(ExitStatus.help)
            """)

    @Argument(help: "The base of the first file.")
    var base: String

    @Argument(help: "The Silt files, in order.")
    var files: [String]

    @Option(name: [.short, .long], help: "The Silt file to write.")
    var output: String

    @Flag(name: [.short, .long], help: "Replace the output if it exists.")
    var force = false

    @OptionGroup var work: WorkOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let report = try work.run(common) { context in
            try Chain(context, replaceExisting: force).squash(base: base, files: files, to: output)
        }
        common.report(report.json, PackLines.lines(report, output))
    }
}
