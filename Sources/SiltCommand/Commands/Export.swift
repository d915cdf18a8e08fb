internal import SiltAdapters
internal import ArgumentParser
internal import TensorTypes

/// `silt export`.
struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write the low-rank part of a Silt file as a PEFT adapter.",
        discussion: """
            A file packed with --lora gives back its adapter. A file packed with --method lowrank or transform gives a \
            new one: its low-rank matrices as LoRA (scale 1, a rank per module), and other changed modules whole, \
            which needs --base.

            \(ExitStatus.help)
            """)

    @Argument(help: "The Silt file.")
    var file: String

    @Option(help: "The adapter directory to write: adapter_config.json and adapter_model.safetensors.")
    var lora: String

    @Option(help: "The base; needed for tensors that the adapter holds whole but the file stores as differences.")
    var base: String?

    @Flag(name: [.short, .long], help: "Replace the directory if it contains nothing but an adapter.")
    var force = false

    @OptionGroup var work: WorkOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        let report = try work.run(common) { context in
            try AdapterExporter(context, replaceExisting: force).export(file, to: lora, base: base)
        }
        common.report(
            report.json,
            [
                "wrote \(lora): \(Text.grouped(report.modules)) modules with low-rank factors, "
                    + "\(Text.grouped(report.saved)) tensors whole, \(Text.decimal(report.seconds, 2)) s"
            ].flatMap { Text.wrapped($0) })
    }
}
