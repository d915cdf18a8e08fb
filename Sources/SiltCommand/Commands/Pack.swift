internal import DeltaKernels
internal import SiltAdapters
internal import SiltPacking
internal import SiltTuning
internal import Workers
internal import ArgumentParser
internal import TensorTypes

/// `silt pack`.
struct Pack: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Store a fine-tuned checkpoint as its difference from a base.",
        discussion: """
            Without --method, `silt unpack` gives every file of FINETUNED back byte for byte. Tensors are stored as \
            differences from the base's, files that the base directory also has as references, and all others \
            compressed. A top-level .git or .cache is left out.

            With --method, matrices are pruned or quantised (contract lossy): the result is near FINETUNED and the \
            same bits on every machine, and the file records how near it is. Embeddings, heads, norms and biases stay \
            exact unless you say otherwise. `silt plan` shows how large each method's file would be.

            Given data, silt runs the model to find q (--q kl and others), the best mask (--seeds) and corrections for \
            the mean error of each layer (--correct-bias). With --accuracy-within, --kl-within or --size-at-most, and \
            no --method, it chooses the method and its options too. --accuracy-within --evaluator 'CMD {model}' \
            measures with a command of yours, so it works for models that silt cannot run.

            With --lora, the file holds an adapter: it rebuilds the merged model, and `silt export` gives the adapter \
            back.

            \(ExitStatus.help)
            """)

    @Argument(help: "The base: a directory in Hub layout or a .safetensors file.")
    var base: String

    @Argument(help: "The fine-tuned checkpoint, in the same form.")
    var finetuned: String?

    @Option(help: "A PEFT adapter (LoRA or SHiRA) to pack instead of FINETUNED; the file rebuilds the merged model.")
    var lora: String?

    @Option(name: [.short, .long], help: "The Silt file to write.")
    var output: String

    @Option(help: "Which codecs to use; auto measures which is smallest, tensor by tensor.")
    var codec = PackOptions.CodecChoice.auto

    @Option(
        help: """
            1 (fast) to 22 (small). Level 1 builds its tables from a sample and reads each file the fewest times; \
            levels from 3 on try low-rank predictions. Also the zstd level of whatever is coded with zstd.
            """)
    var level = 3

    @Option(
        help: """
            Low-rank predictions for exact tensors. auto tries them from level 3 on and keeps those that save bytes; \
            none is faster to pack and unpack.
            """)
    var prediction = PackOptions.Prediction.auto

    @OptionGroup(title: "Lossy packing") var lossy: LossyArguments

    @OptionGroup(title: "Choices made with data") var calibration: CalibrationArguments

    @Flag(name: [.short, .long], help: "Replace the output if it exists.")
    var force = false

    @OptionGroup var work: WorkOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if (finetuned == nil) == (lora == nil) {
            throw ValidationError("Give either FINETUNED or --lora ADAPTER.")
        }
        if lora != nil, lossy.isForTensors || codec != .auto || level != 3 || prediction != .auto {
            throw ValidationError("--lora works only with --method random, --drop, --seed, --q, --values and --group.")
        }
        if lora != nil, calibration.options(lossy.q?.rule) != nil {
            throw ValidationError("--lora excludes options that need data, such as --calibration and --q RULE.")
        }
        if !(1...22).contains(level) { throw ValidationError("--level must be 1 to 22.") }
    }

    func run() throws {
        Allocator.returnLargeBuffers()
        var options = PackOptions()
        options.codec = codec
        options.level = level
        options.replaceExisting = force
        options.lossy = lossy.options
        options.prediction = prediction
        let report = try work.run(common) { try packed(options, $0) }
        common.report(report.json, PackLines.lines(report, output))
    }

    private func packed(_ options: PackOptions, _ context: WorkContext) throws -> PackReport {
        if let lora {
            return try AdapterPacker(context, options.lossy, replaceExisting: force).pack(
                base: base, adapter: lora, to: output)
        }
        let packer = Packer(context, options)
        guard let decisions = calibration.options(lossy.q?.rule) else {
            return try packer.pack(base: base, fineTuned: finetuned ?? "", to: output)
        }
        return try packer.pack(base: base, fineTuned: finetuned ?? "", to: output, calibration: decisions)
    }
}
