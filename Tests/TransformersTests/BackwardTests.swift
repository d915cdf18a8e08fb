import TensorTypes
import TestSupport
import Testing
import Transformers

@Suite("Backward passes")
struct BackwardTests {
    /// A model, its data, and a loss of them.
    private struct Scene {
        let configuration: ModelConfiguration
        let weights: WeightTable
        let data: TokenData

        init(_ model: RandomModel, labels: Labels?, isLeft: Bool = false) throws {
            configuration = try Models.configuration(text: model.configuration)
            weights = model.weights()
            data = try model.data(labels: labels, isLeft: isLeft)
        }

        /// The mean loss, with its gradients if they are wanted.
        func loss(
            _ weights: WeightTable, into gradients: GradientTable? = nil, tokens: Int = 1_024,
            activationBytes: Int = 256 << 20, observer: (any GradientObserver)? = nil
        ) throws -> Double {
            let model = try TransformerModel(configuration, weights)
            let batches = try data.batches(tokens: tokens, for: model)
            let losses = try batches.map { try #require(Loss.task(model.head, data.labels, $0)) }
            let terms = losses.reduce(0) { $0 + $1.terms(columns: model.head.columns) }
            let workspace = BackwardWorkspace(activationBytes: activationBytes)
            var sum = 0.0
            for (batch, loss) in zip(batches, losses) {
                sum += try unsafe model.backward(
                    batch, workspace, into: gradients, observer: observer
                ) { logits, gradient in
                    unsafe loss.measure(logits, scale: 1 / Float(terms), to: gradient).sum
                }
            }
            return sum / Double(terms)
        }
    }

    private func changed(_ weights: WeightTable, _ name: String, _ index: Int, by step: Float) throws -> WeightTable {
        let tensor = try #require(weights[name])
        var copy = weights
        copy[name] = unsafe FloatTensor(shape: tensor.shape) { values in
            unsafe values.update(from: tensor.start, count: tensor.count)
            unsafe values[index] += step
        }
        return copy
    }

    /// Compares gradients with differences of the loss: of each tensor the largest one and four others.
    private func check(_ scene: Scene) throws {
        let table = GradientTable(for: scene.weights)
        let whole = try scene.loss(scene.weights, into: table)
        #expect(whole > 0 && table.isFinite)
        var generator = SeededGenerator(seed: 3)
        for name in scene.weights.names {
            let values = try #require(table[name]).values
            let largest = values.map(\.magnitude).max() ?? 0
            // A bias of all keys moves all scores of a query alike; only rounding and rotation tell.
            #expect(largest > 0 || name.hasSuffix("key.bias") || name.hasSuffix("k_lin.bias"), "\(name)")
            let places = [values.firstIndex { $0.magnitude == largest } ?? 0]
            for index in places + (0..<4).map({ _ in generator.below(values.count) }) {
                // Long steps meet curvature, as where a head's norm is small; short ones rounding.
                let slopes = try [0.02, 0.005, 0.002].map { (step: Float) in
                    func at(_ steps: Float) throws -> Double {
                        try scene.loss(changed(scene.weights, name, index, by: steps * step))
                    }
                    // Five points, so that the third derivative does not matter.
                    return try (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * Double(step))
                }
                let isNear = slopes.contains { slope in
                    abs(Double(values[index]) - slope) <= 2e-3 * abs(slope) + 1e-4 * Double(largest) + 2e-5
                }
                #expect(isNear, "\(name)[\(index)]: \(values[index]) against \(slopes)")
            }
        }
    }

    @Test("give the slopes of classifiers' losses", arguments: RandomModel.classifiers)
    func classifiers(model: RandomModel) throws {
        try check(Scene(model, labels: .classes([1, 2, 0])))
    }

    @Test("give the slopes of causal models' losses", arguments: RandomModel.causal)
    func causal(model: RandomModel) throws {
        try check(Scene(model, labels: nil))
        try check(Scene(model, labels: nil, isLeft: true))
    }

    @Test("give the slopes of a regression's loss")
    func regression() throws {
        try check(Scene(RandomModel.regression, labels: .values([0.5, -1, 2])))
    }

    @Test(
        "give the same bits whenever they run, and whatever was kept",
        arguments: RandomModel.classifiers + RandomModel.causal)
    func determinism(model: RandomModel) throws {
        let scene = try Scene(model, labels: .classes([1, 2, 0]))
        func bits(_ activationBytes: Int) throws -> [[UInt32]] {
            let table = GradientTable(for: scene.weights)
            _ = try scene.loss(scene.weights, into: table, activationBytes: activationBytes)
            return table.names.map { table[$0]?.values.map(\.bitPattern) ?? [] }
        }
        let first = try bits(256 << 20)
        #expect(try bits(256 << 20) == first)
        // Every block computed again; the first one only.
        #expect(try bits(0) == first)
        #expect(try bits(12_000) == first)
    }

    @Test("of parts add up to that of the whole")
    func parts() throws {
        let scene = try Scene(RandomModel.classifiers[0], labels: .classes([1, 2, 0]))
        let (whole, parts) = (GradientTable(for: scene.weights), GradientTable(for: scene.weights))
        _ = try scene.loss(scene.weights, into: whole)
        _ = try scene.loss(scene.weights, into: parts, tokens: 1)
        for name in whole.names {
            let (a, b) = (try #require(whole[name]).values, try #require(parts[name]).values)
            #expect(Models.distance(a, b) <= 1e-5 * (a.map(\.magnitude).max() ?? 0) + 1e-7, "\(name)")
        }
        // A sum of tables is the sum of passes.
        let double = GradientTable(for: scene.weights)
        double.add(whole)
        double.add(whole)
        #expect(double["classifier.weight"]?.values == whole["classifier.weight"]?.values.map { 2 * $0 })
        double.clear()
        #expect(double.names.allSatisfy { double[$0]?.values.allSatisfy { $0 == 0 } == true })
    }

    @Test("fill only what is asked for")
    func subsets() throws {
        let scene = try Scene(RandomModel.classifiers[0], labels: .classes([1, 2, 0]))
        let whole = GradientTable(for: scene.weights)
        let names: Set = ["classifier.bias", "bert.encoder.layer.0.output.dense.weight", "unknown"]
        let few = GradientTable(for: scene.weights, names: names)
        #expect(few.names == ["bert.encoder.layer.0.output.dense.weight", "classifier.bias"])
        #expect(try scene.loss(scene.weights, into: whole) == scene.loss(scene.weights, into: few))
        for name in few.names { #expect(few[name]?.values == whole[name]?.values) }
        #expect(few["bert.encoder.layer.1.output.dense.weight"] == nil)
    }

    /// Multiplies what it is told into gradients of weights.
    private final class Witness: GradientObserver {
        var gradients: [Int: [Float]] = [:]

        func observe(
            layer: Int, input: UnsafePointer<Float>, inputs: Int, outputGradient: UnsafePointer<Float>, outputs: Int,
            rows: Int
        ) {
            var product = [Float](repeating: 0, count: outputs * inputs)
            for row in 0..<rows {
                for output in 0..<outputs {
                    for column in 0..<inputs {
                        product[output * inputs + column] +=
                            unsafe outputGradient[row * outputs + output] * input[row * inputs + column]
                    }
                }
            }
            gradients[layer] = product
        }
    }

    @Test("tell an observer input and output gradient of every linear layer")
    func observation() throws {
        let scene = try Scene(RandomModel.classifiers[0], labels: .classes([1, 2, 0]))
        let table = GradientTable(for: scene.weights)
        let witness = Witness()
        _ = try scene.loss(scene.weights, into: table, observer: witness)
        let model = try TransformerModel(scene.configuration, scene.weights)
        #expect(witness.gradients.count == model.linears.count)
        for (index, layer) in model.linears.enumerated() {
            let expected = try #require(table[layer.weight]).values
            let found = try #require(witness.gradients[index])
            #expect(Models.distance(found, expected) <= 1e-5 * (expected.map(\.magnitude).max() ?? 0) + 1e-7)
        }
        // Without a table it is told the same.
        let alone = Witness()
        _ = try scene.loss(scene.weights, observer: alone)
        #expect(alone.gradients == witness.gradients)
    }

    @Test("of models without a head, and of logits that are no numbers, are refused")
    func refusals() throws {
        let headless = try Models.load("Tests/Data/peers/bert-headless/base")
        let batch = try #require(Models.data([Models.twelve]).batches(tokens: 64, for: headless).first)
        let error = failure {
            _ = try unsafe headless.backward(batch, BackwardWorkspace(), into: nil) { _, _ in 0 }
        }
        #expect(error?.code == .usage)
        let scene = try Scene(RandomModel.classifiers[0], labels: .classes([1, 2, 0]))
        let broken = try changed(scene.weights, "classifier.bias", 0, by: .nan)
        #expect(failure { _ = try scene.loss(broken) }?.code == .usage)
    }
}
