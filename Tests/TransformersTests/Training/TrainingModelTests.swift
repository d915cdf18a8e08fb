import TensorTypes
import TestSupport
import Testing
@testable import Transformers

@Suite("From a base to a model that is trained")
struct TrainingModelTests {
    private func make(
        _ model: RandomModel, _ task: TrainingTask, names: [String]? = nil, makesNewHead: Bool = false,
        seed: UInt64 = 4,
        edit: (inout WeightTable, inout JSONMembers) -> Void = { _, _ in }
    ) throws -> TrainingModel {
        var weights = model.weights()
        var members = JSONMembers(try JSONValue(parsing: Array(model.configuration.utf8)))
        edit(&weights, &members)
        return try TrainingModel(
            base: (members.value, weights, "config.json"), task: task, labelNames: names, makesNewHead: makesNewHead,
            seed: seed)
    }

    private func architecture(_ model: TrainingModel) -> JSONValue? { model.json["architectures"] }

    @Test("a base without prefix and head gets both")
    func bare() throws {
        let made = try make(RandomModel.classifiers[0], .classification(labels: 3)) { weights, members in
            for name in weights.names {
                if !name.hasPrefix("classifier") { weights[String(name.dropFirst("bert.".count))] = weights[name] }
                weights[name] = nil
            }
            // Another head's, which is of no use here.
            weights["cls.predictions.bias"] = unsafe FloatTensor(shape: [17]) { _ in }
            members["architectures"] = .array([.string("BertForMaskedLM")])
            members["num_labels"] = nil
        }
        #expect(architecture(made) == .array([.string("BertForSequenceClassification")]))
        #expect(made.new == ["classifier.weight", "classifier.bias"])
        #expect(made.sources["bert.pooler.dense.weight"] == "pooler.dense.weight")
        #expect(made.weights["cls.predictions.bias"] == nil && !made.names.contains("bert.cls.predictions.bias"))
        #expect(made.json["id2label"]?["2"] == .string("LABEL_2") && made.json["label2id"]?["LABEL_1"] == .integer(1))
        #expect(made.weights["classifier.bias"]?.values == [0, 0, 0])
        let head = try #require(made.weights["classifier.weight"]?.values)
        #expect(head.contains { $0 != 0 } && head.allSatisfy { abs($0) < 0.2 })
    }

    @Test("a pooler that is missing is new too")
    func pooler() throws {
        let made = try make(RandomModel.classifiers[0], .classification(labels: 3)) { weights, _ in
            for part in ["weight", "bias"] { weights["bert.pooler.dense." + part] = nil }
        }
        #expect(made.new == ["bert.pooler.dense.weight", "bert.pooler.dense.bias"])
    }

    @Test("heads of every family", arguments: RandomModel.classifiers)
    func families(model: RandomModel) throws {
        let kept = try make(model, .classification(labels: 3))
        #expect(kept.new.isEmpty)
        let fresh = try make(model, .classification(labels: 5), names: ["a", "b", "c", "d", "e"], makesNewHead: true)
        #expect(fresh.json["id2label"]?["4"] == .string("e") && fresh.json["num_labels"] == nil)
        #expect(try TransformerModel(fresh.configuration, fresh.weights).head == .classifier(labels: 5))
        #expect(!fresh.new.isEmpty && !fresh.new.contains { $0.contains("pooler") })
        let other = failure { _ = try make(model, .classification(labels: 5)) }
        #expect(other?.code == .usage && other?.advice?.contains("makesNewHead") == true)
        let value = try make(model, .regression, makesNewHead: true)
        #expect(value.json["problem_type"] == .string("regression"))
        #expect(try TransformerModel(value.configuration, value.weights).head == .regression)
    }

    @Test("causal models stay what they are, or get a head for whole examples", arguments: RandomModel.causal)
    func causal(model: RandomModel) throws {
        let made = try make(model, .causal)
        #expect(made.new.isEmpty && Set(made.names) == Set(model.weights().names))
        #expect(architecture(made) == (try JSONValue(parsing: Array(model.configuration.utf8)))["architectures"])
        let classifier = try make(model, .classification(labels: 2))
        #expect(classifier.new == ["score.weight"] && classifier.weights["lm_head.weight"] == nil)
    }

    @Test("encoders foretell nothing")
    func encoder() {
        #expect(code { _ = try make(RandomModel.classifiers[0], .causal) } == .usage)
    }

    @Test("another base is refused by the tensor that it lacks")
    func missing() {
        let error = failure {
            _ = try make(RandomModel.classifiers[0], .classification(labels: 3)) { weights, _ in
                weights["bert.encoder.layer.1.output.dense.weight"] = nil
            }
        }
        #expect(error?.code == .noMatch && error?.tensor == "bert.encoder.layer.1.output.dense.weight")
    }

    @Test("a new head is a function of the seed")
    func seeds() throws {
        let values = try [4, 4, 5].map { seed in
            try make(RandomModel.classifiers[0], .classification(labels: 3), makesNewHead: true, seed: UInt64(seed))
                .weights["classifier.weight"]?.values
        }
        #expect(values[0] == values[1] && values[0] != values[2])
    }

    @Test("examples are picked in any order")
    func picked() throws {
        let data = try RandomModel.classifiers[0].data(labels: .classes([0, 1, 2]))
        let picked = data.picked([2, 0, 2])
        #expect(picked.labels == .classes([2, 0, 2]) && picked.count == 3)
        #expect(
            Array(picked.ids[..<9]) == Array(data.ids[18..<27]) && Array(picked.ids[9..<18]) == Array(data.ids[..<9]))
    }
}
