internal import SiltReading
internal import ArgumentParser
internal import TensorTypes

/// `silt unpack`.
struct Unpack: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Rebuild the checkpoint that a Silt file holds; from an exact file, byte for byte.",
        discussion: """
            OUTPUT is a directory if a directory was packed, and a file if a file was. It appears whole and verified, \
            or not at all. The base may be sharded or ordered differently than at packing, and its metadata may \
            differ; the tensors that the file refers to must be equal.

            \(ExitStatus.help)
            """)

    @Argument(help: "The base that the file was packed against.")
    var base: String

    @Argument(help: "The Silt file, or a chain of them: the result of each is the base of the next.")
    var files: [String]

    @Option(name: [.short, .long], help: "The directory or file to write.")
    var output: String

    @Option(help: "Unpack only tensors whose names match this regular expression, into one safetensors file.")
    var only: String?

    @Flag(
        name: [.short, .long],
        help: "Replace the output if it exists; a directory only if it contains no other files.")
    var force = false

    @OptionGroup var work: WorkOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if files.count > 1, only != nil { throw ValidationError("--only works with a single Silt file.") }
    }

    func run() throws {
        let report = try work.run(common) { context in
            if let only {
                return try Unpacker(context, replaceExisting: force).unpack(
                    only: only, base: base, file: files[0], to: output)
            }
            return try Chain(context, replaceExisting: force).unpack(base: base, files: files, to: output)
        }
        let rate = report.seconds > 0 ? Double(report.bytes) / report.seconds / 1e9 : 0
        let checks =
            report.unknownDigests == 0
            ? "all digests checked" : "\(Text.grouped(report.unknownDigests)) tensors have no digest (verify --update)"
        common.report(
            report.json,
            [
                "wrote \(output): \(Text.grouped(report.files)) files, \(Text.grouped(report.tensors)) tensors, "
                    + "\(Text.grouped(report.bytes)) bytes in \(Text.decimal(report.seconds, 2)) s "
                    + "(\(Text.decimal(rate, 2)) GB/s), \(checks)"
            ].flatMap { Text.wrapped($0) })
    }
}
