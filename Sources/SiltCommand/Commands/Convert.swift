internal import SiltInterop
internal import ArgumentParser
internal import TensorTypes

/// `silt convert`.
struct Convert: ParsableCommand {
    /// What to make of a directory.
    enum Target: String, CaseIterable, ExpressibleByArgument {
        case dense
        case sparseBitmask = "sparse-bitmask"
        case sparse24Bitmask = "sparse-24-bitmask"
    }

    static let configuration = CommandConfiguration(
        abstract: "Convert a checkpoint to or from the sparse layouts of compressed-tensors.",
        discussion: """
            --to dense expands sparse-bitmask and sparse-24-bitmask, the legacy sparse layouts of compressed-tensors, \
            so that the checkpoint can be packed; the other two targets write those layouts. In them, -0.0 becomes 0.0 \
            unless --keep-negative-zeros is given.

            \(ExitStatus.help)
            """)

    @Argument(help: "The directory to convert.")
    var directory: String

    @Option(help: "The layout to write: dense, sparse-bitmask or sparse-24-bitmask.")
    var to: Target

    @Option(name: [.short, .long], help: "The directory to write.")
    var output: String

    @Flag(help: "Store -0.0 explicitly, instead of turning it into 0.0.")
    var keepNegativeZeros = false

    @Flag(name: [.short, .long], help: "Replace the output if it exists and contains no other files.")
    var force = false

    @OptionGroup var work: WorkOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let report = try work.run(common) { context in
            var converter = SparseBitmask(context, replaceExisting: force)
            converter.keepsNegativeZeros = keepNegativeZeros
            switch to {
            case .dense: return try converter.decompress(directory, to: output)
            case .sparseBitmask: return try converter.compress(directory, .bitmask, to: output)
            case .sparse24Bitmask: return try converter.compress(directory, .twoOfFour, to: output)
            }
        }
        common.report(report.json, report.lines(output))
    }
}

extension ConversionReport {
    /// What they print for people.
    func lines(_ output: String) -> [String] {
        var lines = [
            "wrote \(output): \(Text.grouped(files)) files, \(Text.grouped(tensors)) tensors, "
                + "\(Text.grouped(converted)) of them converted"
        ]
        if negativeZeros > 0 { lines.append("\(Text.grouped(negativeZeros)) values changed from -0.0 to 0.0") }
        return lines
    }
}
