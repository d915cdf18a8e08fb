internal import SiltFormat
internal import ArgumentParser
internal import DeltaPruning
internal import TensorTypes

/// The `silt` command.
@main
struct SiltCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "silt",
        abstract: "Delta checkpoints: a fine-tuned model stored as its difference from its base.",
        discussion: """
            BASE and FINETUNED are directories in Hub layout (config.json, model.safetensors or shards with \
            model.safetensors.index.json) or single .safetensors files.

            EXAMPLE
              silt pack bert-base my-finetune -o my-finetune.silt
              silt unpack bert-base my-finetune.silt -o restored
              silt verify bert-base my-finetune.silt --against my-finetune

            \(ExitStatus.help)
            """,
        version: "silt \(SiltVersion.library) (format \(SiltVersion.format))",
        subcommands: [
            Pack.self, Unpack.self, Verify.self, Eval.self, Sweep.self, Inspect.self, Plan.self, Rescale.self,
            Squash.self, Export.self,
            Convert.self, Sync.self, Finetune.self,
        ])

    /// Runs a command and ends with its exit code.
    ///
    /// ArgumentParser would end with 1 for every error, which is "verification found a difference" here.
    static func main() {
        Interruption.install()
        Limits.raise()
        BLASThreads.settle()
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let error as SiltError {
            Terminal.complain("error: \(Flags.worded(error.text))")
            exit(withError: ExitStatus(of: error).code)
        } catch {
            exit(withError: error)
        }
    }
}
