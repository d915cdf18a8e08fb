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
            Without --method, every file of FINETUNED comes back byte for byte with `silt unpack`: tensors as differences from the base's, \
            files that the base directory has too as references, all others compressed. A top-level .git or .cache is left out.

            With --method, matrices are pruned or quantised instead (contract lossy): what comes back is near FINETUNED, the \
            same bits on every machine, and the file says how near. Embeddings, heads, norms and biases stay exact unless you \
            say otherwise. `silt plan` shows what each method would take.

            With data, silt runs the model and finds q (--q kl and others), the mask (--seeds) and the mean errors of layers \
            (--correct-bias); or, with --accuracy-within, --kl-within or --size-at-most and no --method, the whole way of packing. \
            --accuracy-within --evaluator 'CMD {model}' has a command measure, so that silt need not know the model.

            With --lora, the file holds an adapter: it rebuilds the merged model, and `silt export` gives the adapter back.

            \(ExitStatus.help)
            """)

    @Argument(help: "The base: a directory in Hub layout or a .safetensors file.")
    var base: String

    @Argument(help: "The fine-tuned checkpoint: likewise.")
    var finetuned: String?

    @Option(help: "A PEFT adapter (LoRA or SHiRA) to pack in place of FINETUNED: the file rebuilds the merged model.")
    var lora: String?

    @Option(name: [.short, .long], help: "The Silt file to write.")
    var output: String

    @Option(help: "Codecs to choose from; auto measures which is smallest, tensor by tensor.")
    var codec = PackOptions.CodecChoice.auto

    @Option(
        help: """
            1 (fast) to 22 (small): 1 reads everything once and takes tables from a sample, from 3 on predictions are tried; and \
            the zstd level of what is coded with zstd.
            """)
    var level = 3

    @Option(
        help:
            "What exact tensors are coded over: auto, from level 3 on, tries a low-rank product added to the base; none is faster."
    )
    var prediction = PackOptions.Prediction.auto

    @OptionGroup(title: "Lossy packing") var lossy: LossyArguments

    @OptionGroup(title: "Calibration: what data decide") var calibration: CalibrationArguments

    @Flag(name: [.short, .long], help: "Replace the output if it exists.")
    var force = false

    @OptionGroup var work: WorkOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if (finetuned == nil) == (lora == nil) {
            throw ValidationError("Give either FINETUNED or --lora ADAPTER.")
        }
        if lora != nil, lossy.isForTensors || codec != .auto || level != 3 || prediction != .auto {
            throw ValidationError("--lora goes with --method random, --drop, --seed, --q, --values and --group only.")
        }
        if lora != nil, calibration.options(lossy.q?.rule) != nil {
            throw ValidationError("Data decide nothing about --lora.")
        }
        if !(1...22).contains(level) { throw ValidationError("--level takes 1 to 22.") }
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
        var handler: Trial.Handler?
        if common.verbose || (Terminal.isWatched && !common.quiet) {
            handler = { trial in Terminal.complain(PackLines.line(of: trial)) }
        }
        return try packer.pack(
            base: base, fineTuned: finetuned ?? "", to: output, calibration: decisions, handler: handler)
    }
}
