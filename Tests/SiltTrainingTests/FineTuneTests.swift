import SiltEvaluation
import SiltTraining
import Transformers
import Workers
import Logging
import Safetensors
import Synchronization
import TensorTypes
import TestSupport
import Testing

/// A tiny encoder without a head, examples whose class is told by one of their tokens, and trainings of it.
private struct Trainings {
    let directory: TemporaryDirectory
    static let (vocabulary, hidden, inner, length) = (24, 8, 12, 6)

    init() throws {
        directory = try TemporaryDirectory()
        try directory.makeDirectory("base")
        var generator = SeededGenerator(seed: 12)
        var tensors: [(name: String, info: TensorInfo, bytes: [UInt8])] = []
        func add(_ name: String, _ shape: [Int]) throws {
            let isGain = name.hasSuffix("LayerNorm.weight")
            let values = (0..<shape.reduce(1, *)).map { _ in
                (isGain ? 1 : 0) + Float(generator.below(2_001) - 1_000) / 3_000
            }
            tensors.append((name, try #require(TensorInfo(dtype: .f32, shape: shape)), Trainings.bytes(values)))
        }
        func linear(_ name: String, _ outputs: Int, _ inputs: Int) throws {
            try add(name + ".weight", [outputs, inputs])
            try add(name + ".bias", [outputs])
        }
        let (hidden, inner) = (Trainings.hidden, Trainings.inner)
        try add("embeddings.word_embeddings.weight", [Trainings.vocabulary, hidden])
        try add("embeddings.position_embeddings.weight", [Trainings.length, hidden])
        try add("embeddings.token_type_embeddings.weight", [2, hidden])
        for name in ["embeddings", "encoder.layer.0.attention.output", "encoder.layer.0.output"] {
            try add(name + ".LayerNorm.weight", [hidden])
            try add(name + ".LayerNorm.bias", [hidden])
        }
        for name in ["self.query", "self.key", "self.value", "output.dense"] {
            try linear("encoder.layer.0.attention." + name, hidden, hidden)
        }
        try linear("encoder.layer.0.intermediate.dense", inner, hidden)
        try linear("encoder.layer.0.output.dense", hidden, inner)
        try linear("pooler.dense", hidden, hidden)
        try SafetensorsWriter.write(tensors, to: directory("base/model.safetensors"))
        let json = """
            {"model_type": "bert", "architectures": ["BertModel"], "vocab_size": 24, "hidden_size": 8,
             "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 12, "max_position_embeddings": 6}
            """
        try directory.write(Array(json.utf8), to: "base/config.json")
        try directory.write(Array("one\ntwo\n".utf8), to: "base/vocab.txt")
        try directory.write(Array("not of the model".utf8), to: "base/notes.md")
        try data("train.data", count: 37, seed: 1)
        try data("validation.data", count: 20, seed: 2)
    }

    /// Examples of two classes, or with these labels.
    func data(_ name: String, count: Int, seed: UInt64, labels: [Int32]? = nil, ids: [Int32]? = nil) throws {
        var generator = SeededGenerator(seed: seed)
        var (tokens, classes): ([Int32], [Int32]) = ([], [])
        for _ in 0..<count {
            let label = generator.below(2)
            var own = (0..<Trainings.length).map { _ in Int32(4 + generator.below(Trainings.vocabulary - 4)) }
            own[1 + generator.below(Trainings.length - 1)] = Int32(2 + label)
            tokens += own
            classes.append(Int32(label))
        }
        let examples = try #require(TensorInfo(dtype: .i32, shape: [count, Trainings.length]))
        let column = try #require(TensorInfo(dtype: .i32, shape: [count]))
        try SafetensorsWriter.write(
            [
                ("input_ids", examples, Trainings.bytes(ids ?? tokens)),
                ("labels", column, Trainings.bytes(labels ?? classes)),
            ], to: directory(name), replacing: true)
    }

    private static func bytes<Value>(_ values: [Value]) -> [UInt8] {
        unsafe values.withUnsafeBytes { unsafe Array($0) }
    }

    /// Options that learn the task in a few dozen steps.
    func options(_ change: (inout FineTuneOptions) -> Void = { _ in }) -> FineTuneOptions {
        var options = FineTuneOptions(train: directory("train.data"), validation: directory("validation.data"))
        (options.rate, options.newRate, options.epochs, options.batch) = (0.01, 0.01, 8, 8)
        change(&options)
        return options
    }

    @discardableResult
    func train(
        _ options: FineTuneOptions, to output: String = "out", threads: Int = 1,
        cancellation: Cancellation = Cancellation(), events: WorkContext.EventHandler? = nil
    ) throws -> FineTuneReport {
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let context = WorkContext(threads: threads, log: log, events: events, cancellation: cancellation)
        return try FineTuner(context, options).train(base: directory("base"), to: directory(output))
    }

    /// Trains until step `step` is done, and is stopped then.
    ///
    /// Gives the validations that there were.
    @discardableResult
    func stop(
        after step: Int, _ options: FineTuneOptions, to output: String = "out"
    ) -> (error: SiltError?, history: [FineTuneReport.Checkpoint]) {
        let cancellation = Cancellation()
        let history = Mutex<[FineTuneReport.Checkpoint]>([])
        let error = failure {
            try train(options, to: output, cancellation: cancellation) { event in
                guard let event = event as? FineTuneEvent else { return }
                if case .step(step, _, _, _) = event { cancellation.request() }
                if case .validation(let checkpoint, _, _, _) = event {
                    history.withLock { $0.append(checkpoint) }
                }
            }
        }
        return (error, history.withLock { $0 })
    }

    func model(_ output: String = "out") -> [UInt8]? { directory.read(output + "/model.safetensors") }
}

@Suite("Fine-tuning")
struct FineTuneTests {
    private let trainings: Trainings

    init() throws { trainings = try Trainings() }

    @Test("a classifier learns, and its directory is whole")
    func learns() throws {
        let report = try trainings.train(trainings.options { $0.epochs = 20 })
        #expect(report.metric == "accuracy" && report.higherIsBetter && report.value >= 0.9)
        #expect(report.steps == 100 && report.history.count == 20)
        #expect((report.history.first?.loss ?? 0) > 2 * (report.history.last?.loss ?? 1))
        #expect(report.newParameters == 2 * Trainings.hidden + 2 && report.distance > 0)
        #expect(report.history.contains { $0.step == report.step && abs($0.value - report.value) < 1e-12 })
        let checkpoint = try Checkpoint(at: trainings.directory("out"))
        #expect(checkpoint.files == ["config.json", "model.safetensors", "vocab.txt"])
        #expect(checkpoint["classifier.weight"]?.info.shape == [2, 8] && checkpoint["bert.pooler.dense.bias"] != nil)
        #expect(trainings.directory.names == ["base", "out", "train.data", "validation.data"])
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let evaluation = try ModelEvaluator(WorkContext(log: log)).evaluate(
            model: trainings.directory("out"), data: trainings.directory("validation.data"))
        #expect(evaluation.value == report.value)
    }

    @Test(
        "a pull keeps the model near its base", arguments: FineTuneOptions.PullScale.allCases,
        FineTuneOptions.Norm.allCases)
    func pull(scale: FineTuneOptions.PullScale, norm: FineTuneOptions.Norm) throws {
        let free = try trainings.train(trainings.options())
        func pulled(_ pull: Double) throws -> Double {
            try trainings.train(
                trainings.options {
                    ($0.optimizer, $0.pull, $0.norm, $0.pullScale) = (.adamr, pull, norm, scale)
                    $0.replaceExisting = true
                }
            ).distance
        }
        let strength = scale == .none ? (norm == .l2 ? 20 : 0.5) : (norm == .l2 ? 1 : 0.02)
        #expect(try pulled(strength) < 0.8 * free.distance)
        #expect(try pulled(0) == free.distance)
    }

    @Test("the number of threads decides nothing")
    func threads() throws {
        let one = try trainings.train(trainings.options(), to: "one", threads: 1)
        let three = try trainings.train(trainings.options(), to: "three", threads: 3)
        #expect(trainings.model("one") == trainings.model("three") && trainings.model("one") != nil)
        #expect(one.history == three.history)
        try trainings.train(trainings.options { $0.seed = 1 }, to: "other")
        #expect(trainings.model("one") != trainings.model("other"))
    }

    @Test("stopped and gone on with, it ends as if nothing had happened", arguments: [3, 5, 17])
    func resume(step: Int) throws {
        let options = trainings.options { ($0.optimizer, $0.pull) = (.adamr, 0.5) }
        let whole = try trainings.train(options, to: "whole")
        let stopped = trainings.stop(after: step, options)
        #expect(stopped.error?.code == .interrupted)
        // Five steps are an epoch, and after it there is a model.
        #expect(trainings.directory.names.contains("out") == (step > 5))
        #expect(trainings.directory.names.contains("out.state"))
        var going = options
        going.resumes = true
        let rest = try trainings.train(going)
        #expect(rest.stepsOfRun == whole.steps - step && rest.history == whole.history && rest.step == whole.step)
        #expect(trainings.model("whole") == trainings.model() && trainings.model() != nil)
        #expect(!trainings.directory.names.contains("out.state"))
    }

    @Test("stopped, it leaves the best model so far")
    func best() throws {
        let (error, history) = trainings.stop(after: 17, trainings.options { $0.validateEvery = 4 })
        #expect(error?.code == .interrupted && error?.message.contains("best model so far") == true)
        #expect(history.map(\.step) == [4, 8, 12, 16])
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let evaluation = try ModelEvaluator(WorkContext(log: log)).evaluate(
            model: trainings.directory("out"), data: trainings.directory("validation.data"))
        #expect(evaluation.value == history.map(\.value).max())
    }

    @Test("the last model is kept on request")
    func last() throws {
        let report = try trainings.train(trainings.options { $0.kept = .last })
        #expect(report.step == report.steps && report.value == report.history.last?.value)
    }

    @Test("a state of something else is refused by what differs")
    func otherState() throws {
        let options = trainings.options()
        trainings.stop(after: 7, options)
        func refusal(_ change: (inout FineTuneOptions) -> Void) -> SiltError? {
            var other = options
            other.resumes = true
            change(&other)
            return failure { try trainings.train(other) }
        }
        let model = trainings.model()
        #expect(refusal { $0.seed = 9 }?.message.contains("the options differ") == true)
        #expect(refusal { $0.validation = $0.train }?.message.contains("the validation data differ") == true)
        #expect(refusal { $0.state = trainings.directory("none") }?.code == .inputMissing)
        #expect(refusal { $0.state = $0.train }?.code == .header)
        #expect(failure { try trainings.train(options) }?.code == .cannotCreate)
        try trainings.directory.remove("out")
        #expect(failure { try trainings.train(options) }?.advice?.contains("resumes") == true)
        #expect(model != nil)
        var again = options
        again.replaceExisting = true
        #expect(try trainings.train(again).stepsOfRun == 40)
    }

    @Test("a damaged state is malformed")
    func damagedState() throws {
        trainings.stop(after: 7, trainings.options())
        var bytes = try #require(trainings.directory.read("out.state"))
        bytes.removeLast(5)
        try trainings.directory.write(bytes, to: "out.state")
        #expect([.truncated, .header].contains(code { try trainings.train(trainings.options { $0.resumes = true }) }))
    }

    @Test("a rate that diverges ends with the step and the loss, and leaves nothing")
    func divergence() throws {
        for rate in [1e4, 1e30] {
            let error = failure {
                try trainings.train(
                    trainings.options { ($0.rate, $0.newRate, $0.warmUp, $0.clip, $0.epochs) = (rate, rate, 0, 0, 40) })
            }
            #expect(error?.code == .diverged && error?.message.contains("at step ") == true, "\(error as Any)")
            #expect(error?.message.contains("loss") == true)
            #expect(!trainings.directory.names.contains("out"))
            try? trainings.directory.remove("out.state")
        }
    }

    @Test("data that are not for the model are refused")
    func wrongData() throws {
        func refusal(
            _ labels: [Int32]? = nil, ids: [Int32]? = nil, _ change: (inout FineTuneOptions) -> Void = { _ in }
        ) throws -> SiltError? {
            try trainings.data("odd.data", count: 6, seed: 3, labels: labels, ids: ids)
            let options = trainings.options {
                $0.train = trainings.directory("odd.data")
                change(&$0)
            }
            return failure { try trainings.train(options) }
        }
        #expect(try refusal([0, 1, -1, 0, 1, 0])?.message.contains("label -1") == true)
        #expect(try refusal([0, 1, 3, 0, 1, 0])?.message.contains("no example has the label 2") == true)
        #expect(try refusal([1, 1, 1, 1, 1, 1])?.message.contains("there is nothing to learn") == true)
        #expect(try refusal([0, 1, 2, 0, 1, 0]) { $0.labels = 2 }?.message.contains("there are 2 labels") == true)
        #expect(try refusal(ids: Array(repeating: 24, count: 36))?.message.contains("token id 24") == true)
        #expect(try refusal { $0.task = .causal }?.message.contains("cannot predict next tokens") == true)
        // Three classes to train on, and the validation data have two of them: fine. The other way round is not.
        #expect(try refusal([0, 1, 2, 0, 1, 2]) == nil)
        try trainings.directory.remove("out")
        let other = failure {
            try trainings.train(trainings.options { $0.validation = trainings.directory("odd.data") })
        }
        #expect(other?.message.contains("label 2") == true && other?.file == trainings.directory("odd.data"))
        #expect(!trainings.directory.names.contains("out"))
    }

    @Test("options that mean nothing are refused")
    func wrongOptions() {
        let changes: [(String, (inout FineTuneOptions) -> Void)] = [
            ("pull is -1", { ($0.optimizer, $0.pull) = (.adamr, -1) }), ("needs a pull", { $0.optimizer = .adamr }),
            ("requires adamr", { $0.pull = 1 }), ("rate is 0", { $0.rate = 0 }),
            ("rate is nan", { $0.rate = .nan }), ("rate of new layers is -1", { $0.newRate = -1 }),
            ("0 epochs", { $0.epochs = 0 }), ("batch of 0", { $0.batch = 0 }), ("warm-up is 2", { $0.warmUp = 2 }),
            ("clipped to -1", { $0.clip = -1 }), ("0 groups", { $0.groups = 0 }),
            ("every 0 steps", { $0.validateEvery = 0 }),
            ("0 examples", { $0.examples = 0 }), ("1 labels", { $0.labels = 1 }),
            ("weight decay is -1", { $0.decay = -1 }),
            ("3 names for 2", { ($0.labels, $0.labelNames) = (2, ["a", "b", "c"]) }),
            ("the same name", { $0.labelNames = ["a", "a"] }),
        ]
        for (words, change) in changes {
            let error = failure { try trainings.train(trainings.options(change)) }
            #expect(error?.code == .usage && error?.message.contains(words) == true, "\(words): \(error as Any)")
        }
        #expect(trainings.directory.names == ["base", "train.data", "validation.data"])
    }

    @Test("names that are taken are refused, and inputs are never replaced")
    func takenNames() throws {
        try trainings.directory.write([1], to: "out/own.txt")
        #expect(code { try trainings.train(trainings.options()) } == .cannotCreate)
        #expect(code { try trainings.train(trainings.options { $0.replaceExisting = true }) } == .cannotCreate)
        #expect(
            code { try trainings.train(trainings.options { $0.replaceExisting = true }, to: "base") } == .cannotCreate)
        let state = failure {
            try trainings.train(
                trainings.options { ($0.state, $0.replaceExisting) = ($0.train, true) }, to: "other")
        }
        #expect(state?.code == .cannotCreate)
        #expect(trainings.directory.read("out/own.txt") == [1])
    }

    @Test(
        "weights of 16 bits are written and measured as they are stored",
        arguments: [FineTuneOptions.StoredType.bf16, .f16])
    func narrow(type: FineTuneOptions.StoredType) throws {
        try trainings.train(trainings.options { $0.stored = type })
        let checkpoint = try Checkpoint(at: trainings.directory("out"))
        #expect(Set(checkpoint.tensors.map(\.info.dtype)) == [type == .bf16 ? .bf16 : .f16])
        let json = try JSONValue(parsing: #require(trainings.directory.read("out/config.json")))
        #expect(json["dtype"] == .string(type == .bf16 ? "bfloat16" : "float16"))
    }
}
