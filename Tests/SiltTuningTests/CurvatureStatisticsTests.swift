@testable import SiltEvaluation
@testable import Workers
import SiltTuning
import SiltReading
import DeltaPruning
import Logging
import Safetensors
import TensorTypes
import TestSupport
import Testing
import Transformers

@Suite("Curvature statistics")
struct CurvatureStatisticsTests {
    private static func context(_ threads: Int) -> WorkContext {
        WorkContext(threads: threads, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private let configuration: ModelConfiguration
    private let weights: WeightTable
    private let data: TokenData

    init() throws {
        let checkpoint = try Checkpoint.asResult(Repository.path("Tests/Data/small-foods"))
        configuration = try ModelLoader(Self.context(1)).configuration(of: checkpoint)
        weights = try WeightTable(reading: checkpoint)
        data = try ModelEvaluator.read(Repository.path("Tests/Data/eval/foods-small.safetensors"), 40)
    }

    /// Sums of (input b)^2 and (gradient a)^2 of one layer, and of squares.
    private final class Forms: GradientObserver {
        let layer: Int
        let (a, b): ([Double], [Double])
        var (inputs, gradients, inputSquares, gradientSquares) = (0.0, 0.0, 0.0, 0.0)
        var rows = 0

        init(layer: Int, a: [Double], b: [Double]) { (self.layer, self.a, self.b) = (layer, a, b) }

        func observe(
            layer: Int, input: UnsafePointer<Float>, inputs: Int, outputGradient: UnsafePointer<Float>, outputs: Int,
            rows: Int
        ) {
            guard layer == self.layer else { return }
            for row in 0..<rows {
                let x = (0..<inputs).map { unsafe Double(input[row * inputs + $0]) }
                let g = (0..<outputs).map { unsafe Double(outputGradient[row * outputs + $0]) }
                func dot(_ one: [Double], _ other: [Double]) -> Double {
                    zip(one, other).reduce(0) { $0 + $1.0 * $1.1 }
                }
                self.inputs += dot(x, b) * dot(x, b)
                gradients += dot(g, a) * dot(g, a)
                inputSquares += dot(x, x)
                gradientSquares += dot(g, g)
            }
            self.rows += rows
        }
    }

    @Test(
        "are those of a direct computation",
        arguments: ["bert.encoder.layer.0.intermediate.dense.weight", "classifier.weight"])
    func direct(name: String) throws {
        let statistics = try CurvatureStatistics(configuration, weights, data, Self.context(2).pool)
        let model = try TransformerModel(configuration, weights)
        let index = try #require(model.linears.firstIndex { $0.weight == name })
        let (rows, columns) = (model.linears[index].outputs, model.linears[index].inputs)
        var generator = SeededGenerator(seed: 3)
        let a = (0..<rows).map { _ in Double(generator.below(2_001)) / 1_000 - 1 }
        let b = (0..<columns).map { _ in Double(generator.below(2_001)) / 1_000 - 1 }
        let forms = Forms(layer: index, a: a, b: b)
        for batch in try data.batches(tokens: 512, for: model) {
            _ = try unsafe model.backward(batch, BackwardWorkspace(), into: nil, observer: forms) { logits, gradient in
                let draw = LabelDraw(seed: 0x5117, batch, isCausal: false)
                unsafe logits.fisherRoot(draw, to: gradient)
                return 0
            }
        }
        func squared(_ vector: [Double]) -> Double { vector.reduce(0) { $0 + $1 * $1 } }
        let damping = CurvatureStatistics.damping
        let tokens = Double(forms.rows)
        let inputs = (forms.inputs + damping.inputs * forms.inputSquares / Double(columns) * squared(b)) / tokens
        let gradients =
            (forms.gradients + damping.gradients * forms.gradientSquares / Double(rows) * squared(a))
            / Double(data.count)
        let errors = a.flatMap { left in b.map { Float(left * $0) } }
        let cost = statistics.curvature(of: name, rows: rows, columns: columns).cost(errors.span)
        #expect(abs(cost - inputs * gradients) < 1e-3 * cost)
    }

    @Test("are the same bits whatever the number of threads")
    func threads() throws {
        let found = try [1, 3].map { threads in
            try CurvatureStatistics(configuration, weights, data, Self.context(threads).pool)
        }
        for name in ["bert.encoder.layer.1.output.dense.weight", "bert.embeddings.word_embeddings.weight"] {
            let shape = try #require(weights[name]?.shape)
            let errors = [Float](repeating: 0.01, count: shape[0] * shape[1])
            let costs = found.map { $0.curvature(of: name, rows: shape[0], columns: shape[1]).cost(errors.span) }
            #expect(costs[0] > 0 && costs[0] == costs[1])
        }
        let name = "bert.encoder.layer.0.output.LayerNorm.weight"
        #expect(found[0].weight(of: name) > 0 && found[0].weight(of: name) == found[1].weight(of: name))
    }

    @Test("say of tensors that they do not know what the others cost on average")
    func unknown() throws {
        let statistics = try CurvatureStatistics(configuration, weights, data, Self.context(1).pool)
        let errors = [Float](repeating: 1, count: 6)
        let cost = statistics.curvature(of: "no such tensor", rows: 2, columns: 3).cost(errors.span)
        #expect(abs(cost - 6 * statistics.weight(of: "no such vector")) < 1e-5 * cost)
        // Of another shape it is another tensor.
        let other = statistics.curvature(of: "classifier.weight", rows: 2, columns: 3)
        #expect(other.rows.size == 2 && other.columns.size == 3)
    }

    @Test("refuse a model whose answers are no numbers")
    func hostile() throws {
        var table = weights
        table["classifier.weight"] = unsafe FloatTensor(shape: [2, 384]) { values in
            for index in 0..<768 { unsafe values[index] = .nan }
        }
        #expect(throws: SiltError.self) {
            try CurvatureStatistics(configuration, table, data, Self.context(1).pool)
        }
    }
}
