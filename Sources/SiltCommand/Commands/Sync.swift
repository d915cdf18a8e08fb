internal import SiltInterop
internal import ArgumentParser
internal import TensorTypes

/// `silt sync`.
struct Sync: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read and write the weight updates of reinforcement-learning stacks (slime, miles, vime).",
        discussion: """
            An update is a directory laid out like a checkpoint. It holds zstd-compressed differences, and version, \
            base_version, delta_encoding and checksums in model.safetensors.index.json.

            \(ExitStatus.help)
            """,
        subcommands: [Apply.self, Write.self])

    /// `silt sync apply`.
    struct Apply: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Apply an update to its base and write the resulting checkpoint.")

        @Argument(help: "The checkpoint with the update's base_version.")
        var base: String

        @Argument(help: "The directory of the update.")
        var update: String

        @Option(name: [.short, .long], help: "The directory to write.")
        var output: String

        @Flag(name: [.short, .long], help: "Replace the output if it exists and contains no other files.")
        var force = false

        @OptionGroup var work: WorkOptions
        @OptionGroup var common: CommonOptions

        func run() throws {
            let report = try work.run(common) { context in
                try WeightSync(context, replaceExisting: force).apply(base: base, update: update, to: output)
            }
            common.report(report.json, report.lines(output))
        }
    }

    /// `silt sync write`.
    struct Write: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write the update from one checkpoint to another.")

        @Argument(help: "The checkpoint before.")
        var base: String

        @Argument(help: "The checkpoint after.")
        var finetuned: String

        @Option(name: [.short, .long], help: "The directory to write.")
        var output: String

        @Option(help: "xor (smallest; can be applied only once) or overwrite (can be applied repeatedly).")
        var encoding = WeightSync.Encoding.xor

        @Option(help: "Checksum of each tensor: xxh3-128 or adler32.")
        var checksum = WeightSync.Checksum.xxh3

        @Option(help: "Version of the result.")
        var version: Int

        @Option(help: "Version of the base.")
        var baseVersion: Int

        @Flag(name: [.short, .long], help: "Replace the output if it exists and contains no other files.")
        var force = false

        @OptionGroup var work: WorkOptions
        @OptionGroup var common: CommonOptions

        func run() throws {
            let report = try work.run(common) { context in
                try WeightSync(context, replaceExisting: force).write(
                    base: base, fineTuned: finetuned, encoding: encoding, checksum: checksum, version: version,
                    baseVersion: baseVersion, to: output)
            }
            common.report(report.json, report.lines(output))
        }
    }
}
