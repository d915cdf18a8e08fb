internal import SiltReading
internal import ArgumentParser
internal import TensorTypes

/// `silt unpack`.
struct Unpack: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Give back what a Silt file holds: of an exact file the fine-tuned checkpoint, byte for byte.",
        discussion: """
            A packed directory becomes the directory OUTPUT, a packed file the file OUTPUT. It appears whole and verified, or \
            not at all. The base may be sharded, ordered or named in its metadata in another way than it was at packing; its \
            tensors must be equal.

            \(ExitStatus.help)
            """)

    @Argument(help: "The base that was packed against.")
    var base: String

    @Argument(help: "The Silt file, or several: each one's result is the base of the next.")
    var files: [String]

    @Option(name: [.short, .long], help: "The directory or file to write.")
    var output: String

    @Option(help: "Unpack only tensors whose names match this regular expression, into one safetensors file.")
    var only: String?

    @Flag(
        name: [.short, .long],
        help: "Replace the output if it exists; a directory only if it has no files but those that are written.")
    var force = false

    @OptionGroup var work: WorkOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if files.count > 1, only != nil { throw ValidationError("--only takes one Silt file.") }
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
            ].flatMap { Pack.wrapped($0) })
    }
}

extension Pack {
    /// `line` broken at spaces so that it fits 80 columns.
    static func wrapped(_ line: String) -> [String] {
        var lines: [String] = []
        var current = ""
        for word in line.split(separator: " ", omittingEmptySubsequences: false) {
            if !current.isEmpty, current.count + 1 + word.count > 80 {
                lines.append(current)
                current = "  " + word
            } else {
                current += (current.isEmpty ? "" : " ") + word
            }
        }
        return lines + [current]
    }
}
