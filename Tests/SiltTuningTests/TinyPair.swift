import Logging
import Safetensors
import SiltEvaluation
import SiltPacking
import SiltReading
import SiltTuning
import Synchronization
import TensorTypes
import TestSupport
import Testing
import Workers

/// An encoder of one small layer, another that was made of it, and data for both: a search over them takes a second.
struct TinyPair {
    static let (vocabulary, hidden, inner, length) = (48, 32, 48, 8)

    /// Read by all tests, and written once.
    private static let inputs = Result { try write() }

    /// Where outputs go: each test's own.
    let directory: TemporaryDirectory
    private let inputs: TemporaryDirectory
    var base: String { inputs("base") }
    var fineTuned: String { inputs("tuned") }
    /// Examples with labels, others of their kind, and the first without labels.
    var data: String { inputs("data.safetensors") }
    var others: String { inputs("others.safetensors") }
    var unlabelled: String { inputs("unlabelled.safetensors") }

    init() throws {
        (directory, inputs) = try (TemporaryDirectory(), TinyPair.inputs.get())
    }

    private static func write() throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        let json = """
            {"model_type": "bert", "architectures": ["BertForSequenceClassification"], "num_labels": 3,
             "vocab_size": 48, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
             "intermediate_size": 48, "max_position_embeddings": 8}
            """
        var generator = SeededGenerator(seed: 21)
        let values = TinyPair.shapes.map { name, shape in
            let isGain = name.hasSuffix("LayerNorm.weight")
            return (0..<shape.reduce(1, *)).map { _ in (isGain ? 1 : 0) + TinyPair.noise(&generator, 0.3) }
        }
        // A direction for each matrix and a little of everything else, as training leaves it.
        let moved = zip(TinyPair.shapes, values).map { tensor, values in
            let columns = tensor.shape.last ?? 1
            let left = (0..<max(1, values.count / columns)).map { _ in TinyPair.noise(&generator, 0.25) }
            let right = (0..<columns).map { _ in TinyPair.noise(&generator, 1) }
            return values.indices.map { index in
                values[index] + left[index / columns] * right[index % columns] + TinyPair.noise(&generator, 0.03)
            }
        }
        for (name, values) in [("base", values), ("tuned", moved)] {
            try directory.makeDirectory(name)
            try directory.write(Array(json.utf8), to: name + "/config.json")
            let tensors = try zip(TinyPair.shapes, values).map { tensor, values in
                let info = try #require(TensorInfo(dtype: .f32, shape: tensor.shape))
                return (name: tensor.name, info: info, bytes: TinyPair.bytes(values))
            }
            try SafetensorsWriter.write(tensors, to: directory(name + "/model.safetensors"))
        }
        try write(directory("data.safetensors"), count: 24, seed: 5)
        try write(directory("others.safetensors"), count: 24, seed: 6)
        try write(directory("unlabelled.safetensors"), count: 24, seed: 5, hasLabels: false)
        return directory
    }

    /// Data sets of random tokens.
    private static func write(_ path: String, count: Int, seed: UInt64, hasLabels: Bool = true) throws {
        var generator = SeededGenerator(seed: seed)
        let ids = (0..<count * TinyPair.length).map { _ in Int32(1 + generator.below(TinyPair.vocabulary - 1)) }
        let labels = (0..<count).map { _ in Int32(generator.below(3)) }
        let shape = try #require(TensorInfo(dtype: .i32, shape: [count, TinyPair.length]))
        let column = try #require(TensorInfo(dtype: .i32, shape: [count]))
        var tensors = [(name: "input_ids", info: shape, bytes: TinyPair.bytes(ids))]
        if hasLabels { tensors.append((name: "labels", info: column, bytes: TinyPair.bytes(labels))) }
        try SafetensorsWriter.write(tensors, to: path)
    }

    private static func noise(_ generator: inout SeededGenerator, _ scale: Float) -> Float {
        // Of three uniform numbers: about normal, and the same on every machine.
        let sum = (0..<3).reduce(0) { sum, _ in sum + generator.below(2_001) - 1_000 }
        return scale * Float(sum) / 1_000
    }

    private static func bytes<Value: BitwiseCopyable>(_ values: [Value]) -> [UInt8] {
        unsafe values.withUnsafeBytes { unsafe Array($0) }
    }

    private static let shapes: [(name: String, shape: [Int])] = {
        var shapes: [(name: String, shape: [Int])] = []
        func linear(_ name: String, _ outputs: Int, _ inputs: Int) {
            shapes += [(name + ".weight", [outputs, inputs]), (name + ".bias", [outputs])]
        }
        for (name, rows) in [("word", vocabulary), ("position", length), ("token_type", 2)] {
            shapes.append(("bert.embeddings.\(name)_embeddings.weight", [rows, hidden]))
        }
        var norms = ["bert.embeddings"]
        for layer in 0..<1 {
            let block = "bert.encoder.layer.\(layer)."
            for name in [
                "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
            ] {
                linear(block + name, hidden, hidden)
            }
            linear(block + "intermediate.dense", inner, hidden)
            linear(block + "output.dense", hidden, inner)
            norms += [block + "attention.output", block + "output"]
        }
        for norm in norms {
            shapes += [(norm + ".LayerNorm.weight", [hidden]), (norm + ".LayerNorm.bias", [hidden])]
        }
        linear("bert.pooler.dense", hidden, hidden)
        linear("classifier", 3, hidden)
        return shapes
    }()

    // MARK: - What is done with it

    /// Whether a size that was predicted is the file's: within a percent, and four bytes for each tensor of so small a file.
    static func isNear(_ predicted: Int, _ written: Int) -> Bool {
        abs(predicted - written) <= written / 100 + 4 * shapes.count
    }

    func context(threads: Int = 2, events: WorkContext.EventHandler? = nil) -> WorkContext {
        WorkContext(threads: threads, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, events: events)
    }

    /// What a calibrated pack wrote, and what it tried on the way.
    struct Packed {
        let report: PackReport
        let trials: [Trial]
        let file: String

        /// What the file records of a metric.
        func recorded(_ metric: String) -> Double? { report.evaluations.first { $0.metric == metric }?.rebuilt }
    }

    /// Packs as data say.
    func pack(
        _ lossy: LossyOptions? = nil, to name: String = "out.silt", threads: Int = 2,
        _ change: (inout CalibrationOptions) -> Void = { _ in }
    ) throws -> Packed {
        var options = PackOptions()
        (options.lossy, options.replaceExisting) = (lossy, true)
        var calibration = CalibrationOptions()
        calibration.calibration = data
        change(&calibration)
        let trials = Mutex<[Trial]>([])
        let context = context(threads: threads) { event in
            if let trial = event as? Trial { trials.withLock { $0.append(trial) } }
        }
        let report = try Packer(context, options).pack(
            base: base, fineTuned: fineTuned, to: directory(name), calibration: calibration)
        return Packed(report: report, trials: trials.withLock { $0 }, file: directory(name))
    }

    /// Packs with these options alone.
    func pack(_ lossy: LossyOptions?) throws -> PackReport {
        var options = PackOptions()
        (options.lossy, options.replaceExisting) = (lossy, true)
        return try Packer(context(), options).pack(base: base, fineTuned: fineTuned, to: directory("plain.silt"))
    }

    /// What the model in a file does, measured from the file.
    func evaluate(_ file: String, on data: String? = nil) throws -> EvaluationReport {
        try ModelEvaluator(context()).evaluate(
            model: file, base: base, data: data ?? self.data, against: fineTuned)
    }
}

extension EvaluationReport {
    /// One of the measures.
    func measure(_ name: String) -> Double? { measures.first { $0.name == name }?.value }
}
