internal import ArgumentParser
internal import Silt
internal import TensorTypes

/// `silt pack`.
struct Pack: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Store a fine-tuned checkpoint as its exact difference from a base.",
        discussion: """
            Every file of FINETUNED comes back byte for byte with `silt unpack`: tensors as differences from the base's, \
            files that the base directory has too as references, all others compressed. A top-level .git or .cache is left out.

            \(ExitStatus.help)
            """)

    @Argument(help: "The base: a directory in Hub layout or a .safetensors file.")
    var base: String

    @Argument(help: "The fine-tuned checkpoint: likewise.")
    var finetuned: String

    @Option(name: [.short, .long], help: "The Silt file to write.")
    var output: String

    @Option(help: "Codecs to choose from; auto measures which is smallest, tensor by tensor.")
    var codec = PackOptions.CodecChoice.auto

    @Option(help: "zstd level of what is coded with zstd, 1 (fast) to 22 (small).")
    var level = 3

    @Flag(name: [.short, .long], help: "Replace the output if it exists.")
    var force = false

    @OptionGroup var work: WorkOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if !(1...22).contains(level) { throw ValidationError("--level takes 1 to 22.") }
    }

    func run() throws {
        var options = PackOptions()
        options.codec = codec
        options.level = level
        options.replaceExisting = force
        let report = try work.run(common) { context in
            try Packer(context, options).pack(base: base, fineTuned: finetuned, to: output)
        }
        common.report(report.json, lines(report))
    }

    private func lines(_ report: PackReport) -> [String] {
        let size = "\(Text.grouped(report.fineTunedBytes)) -> \(Text.grouped(report.bytes)) bytes"
        let bits = "\(Text.decimal(report.bitsPerParameter, 3)) bits per parameter"
        return EncodingTable.lines(report.encodings, total: report.bytes) + [
            "",
            "\(size): \(Text.decimal(report.ratio, 2)) x smaller, \(bits), \(Text.decimal(report.seconds, 2)) s",
            "wrote \(output) (contract: exact)",
        ]
    }
}
