import Foundation
import TensorTypes
import TestSupport
import Testing
import Transformers

@Suite("Metrics")
struct MetricsTests {
    @Test("of classes are those of the textbooks")
    func classes() {
        let three = Classes(predicted: [0, 1, 0, 0, 2, 1, 1, 1, 2, 1], labels: [0, 1, 1, 0, 2, 2, 1, 0, 2, 1])
        #expect(three.accuracy == 0.7)
        #expect(abs(three.f1(classes: 3) - 0.7111111111) < 1e-9)
        #expect(abs(three.matthews - 0.547142224545632) < 1e-12)
        let two = Classes(predicted: [1, 1, 1, 0, 0, 0], labels: [1, 0, 1, 1, 0, 0])
        #expect(abs(two.f1(classes: 2) - 2.0 / 3) < 1e-12)
        #expect(abs(two.matthews - 1.0 / 3) < 1e-12)
        let constant = Classes(predicted: [0, 0], labels: [0, 1])
        #expect(constant.matthews == 0 && constant.f1(classes: 2) == 0 && constant.accuracy == 0.5)
        #expect(Classes(predicted: [], labels: []).accuracy == 0)
    }

    @Test("of values are those of the textbooks")
    func correlations() {
        let a = [1, 2, 2, 4, 5.5, 3]
        let b = [2.0, 1, 3, 3, 8, 4]
        #expect(abs(Correlation.pearson(a, b) - 0.8485546020032355) < 1e-12)
        #expect(abs(Correlation.spearman(a, b) - 0.7794117647) < 1e-9)
        #expect(Correlation.pearson([1, 2], [3, 3]) == 0 && Correlation.pearson([], []) == 0)
        #expect(abs(Correlation.spearman([1, 2, 3], [10, 100, 1_000]) - 1) < 1e-12)
    }

    @Test("of distributions are computed in binary64", arguments: KernelLevel.available)
    func divergence(level: KernelLevel) throws {
        let mean = try Models.rows([1, 2, 3, 0, 0, 5], 3, level: level) { reference in
            try Models.rows([1.5, 1, 3, 1, 0, 4], 3, level: level) { reference.divergence($0) }
        }
        #expect(abs(mean.value - 0.06550793542687805) < 1e-12 && mean.count == 2)
        // Long rows, and candidates that are all but equal.
        var generator = SeededGenerator(seed: 3)
        let long = (0..<1_003).map { _ in Float(generator.below(2_000)) / 100 - 10 }
        let near = long.map { $0 + Float(generator.below(3) - 1) / 1_024 }
        func logSum(_ x: [Float]) -> Double { log(x.reduce(0) { $0 + exp(Double($1)) }) }
        var expected = 0.0
        for (x, y) in zip(long, near) {
            expected += exp(Double(x) - logSum(long)) * ((Double(x) - logSum(long)) - (Double(y) - logSum(near)))
        }
        let found = try Models.rows(long, 1_003, level: level) { reference in
            try Models.rows(near, 1_003, level: level) { reference.divergence($0).value }
        }
        #expect(expected > 1e-8 && abs(found - expected) < 1e-13)
        #expect(try Models.rows(long, 1_003, level: level) { $0.divergence($0).value } == 0)
    }

    @Test("of differences count what they should")
    func differences() throws {
        let reference: [Float] = [9, 8, 7, 6, 5, 0, 0, 1, 2, 3, 4, 5]
        let candidate: [Float] = [9, 8, 7, 6, 7, 50, 0, 1, 2, 3, 4, 6]
        try Models.rows(reference, 6) { reference in
            try Models.rows(candidate, 6) { candidate in
                // The 50 is not among the reference's five largest.
                #expect(reference.squaredDifference(candidate, atLargest: 5) == Mean(sum: 5, count: 10))
                #expect(reference.squaredDifference(candidate) == Mean(sum: 2_505, count: 12))
                #expect(reference.absoluteDifference(candidate) == Mean(sum: 53, count: 12))
            }
        }
        #expect(try Models.rows(candidate, 6) { $0.predictions } == [5, 5])
        #expect(try Models.rows([3, 3, 1], 3) { $0.predictions } == [0])
    }

    @Test("what the reference expects of changed answers")
    func regret() throws {
        // Probabilities 3/4 and 1/4; then .6, .3 and .1 of which the second is taken; a row that stays.
        let reference: [Float] = [Float(log(3.0)), 0, -50, Float(log(6.0)), Float(log(3.0)), 0, 1, 2, 3]
        let candidate: [Float] = [0, 1, -50, 0, 1, 0, 1, 2, 300]
        let found = try Models.rows(reference, 3) { reference in try Models.rows(candidate, 3) { reference.regret($0) }
        }
        #expect(abs(found.sum - 0.8) < 1e-6 && abs(found.squares - 0.34) < 1e-6)
        let same = try Models.rows(reference, 3) { $0.regret($0) }
        #expect(same.sum == 0 && same.squares == 0)
    }

    @Test("of tokens to come skip padding")
    func tokens() throws {
        let model = try Models.load("Tests/Data/peers/llama-embeddings/base")
        let data = try TokenData(
            ids: Models.twelve + Models.twelve, mask: (0..<24).map { $0 != 15 }, length: 12)
        let workspace = ForwardWorkspace()
        var loss = Mean()
        var places: [[Int]] = []
        for batch in try data.batches(tokens: 12, for: model) {
            model.forward(batch, workspace)
            let scores = try NextToken(batch, LogitRows(workspace.logits, columns: 48))
            if batch.examples.lowerBound == 0 {
                // What transformers gives for the sequence.
                #expect(abs(scores.loss.value - 3.8746352) < 1e-5)
                #expect(abs(NextToken.perplexity(scores.loss) - exp(3.8746352)) < 1e-3)
            }
            #expect(scores.losses.count == scores.places.count && scores.top1.count == scores.losses.count)
            places += scores.places.map { [$0.example, $0.position] }
            loss += scores.loss
        }
        // The second sequence lacks token 3: nothing foretells it, and it foretells nothing.
        #expect(loss.count == 11 + 9)
        #expect(!places.contains([1, 2]) && !places.contains([1, 3]) && places.contains([1, 4]))
    }

    @Test("are refused where the model gives no numbers", arguments: [Float.nan, .infinity, -.infinity])
    func finite(value: Float) {
        for place in [0, 16, 18] {
            var values = [Float](repeating: 1, count: 19)
            values[place] = value
            #expect(failure { _ = try Models.rows(values, 19) { $0.rows } }?.code == .usage)
        }
    }
}
