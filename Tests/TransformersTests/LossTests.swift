import Foundation
import TensorTypes
import TestSupport
import Testing
import Transformers

@Suite("Losses")
struct LossTests {
    private func samples(_ count: Int, seed: UInt64) -> [Float] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in Float(generator.below(2_001) - 1_000) / 300 }
    }

    /// The sum of a loss, how many terms it has, and its gradient.
    private func measure(
        _ logits: [Float], columns: Int, scale: Float = 1, _ reference: [Float] = [],
        _ make: (LogitRows) -> Loss
    ) throws -> (sum: Mean, gradient: [Float]) {
        try Models.rows(reference.isEmpty ? logits : reference, columns) { reference in
            let loss = make(reference)
            var gradient = [Float](repeating: .nan, count: logits.count)
            let sum = try Models.rows(logits, columns) { unsafe loss.measure($0, scale: scale, to: &gradient) }
            #expect(loss.terms(columns: columns) == sum.count)
            return (sum, gradient)
        }
    }

    /// Compares a gradient with differences of the sum.
    private func check(
        _ logits: [Float], columns: Int, _ reference: [Float] = [], _ make: (LogitRows) -> Loss
    ) throws {
        let (_, gradient) = try measure(logits, columns: columns, scale: 0.5, reference, make)
        for index in logits.indices {
            func at(_ step: Float) throws -> Double {
                var changed = logits
                changed[index] += step
                return try measure(changed, columns: columns, reference.isEmpty ? logits : reference, make).sum.sum
            }
            let slope = try (at(0.0625) - at(-0.0625)) / 0.125
            #expect(abs(Double(gradient[index]) - slope / 2) < 2e-3, "\(index)")
        }
    }

    @Test("of classes and values are cross-entropy and squares, with their slopes")
    func labels() throws {
        let logits = samples(12, seed: 1)
        try check(logits, columns: 4) { _ in .classes([3, 0, 1]) }
        try check(samples(3, seed: 2), columns: 1) { _ in .values([0.5, -1, 2]) }
        let (sum, gradient) = try measure([0, 0, 1, 1], columns: 2) { _ in .classes([0, 1]) }
        #expect(abs(sum.sum - 2 * log(2)) < 1e-12 && sum.count == 2)
        #expect(Models.distance(gradient, [-0.5, 0.5, 0.5, -0.5]) < 1e-6)
        #expect(try measure([3, 1], columns: 1) { _ in .values([1, 1]) }.sum == Mean(sum: 4, count: 2))
    }

    @Test("of next tokens are what NextToken measures, and padding has no part in them")
    func tokens() throws {
        let model = try Models.load("Tests/Data/peers/llama-embeddings/base")
        let data = try TokenData(
            ids: Models.twelve + Models.twelve, mask: (0..<24).map { $0 != 15 }, length: 12)
        let batch = try #require(data.batches(tokens: 64, for: model).first)
        let workspace = ForwardWorkspace()
        model.forward(batch, workspace)
        let logits = try LogitRows(workspace.logits, columns: 48)
        var gradient = [Float](repeating: .nan, count: workspace.logits.count)
        let found = unsafe Loss.nextToken(batch).measure(logits, scale: 1, to: &gradient)
        #expect(found == NextToken(batch, logits).loss)
        #expect(Loss.nextToken(batch).terms(columns: 48) == 11 + 9)
        let rows = (0..<batch.tokens).map { gradient[$0 * 48..<($0 + 1) * 48].contains { $0 != 0 } }
        // The last token of each sequence foretells nothing, nor does the one before the missing token.
        #expect(rows.indices.filter { !rows[$0] } == [11, 14, 22])
        #expect(Loss.task(model.head, nil, batch) != nil)
    }

    @Test("against a reference are those that candidates are judged by, with their slopes")
    func references() throws {
        let (logits, reference) = (samples(21, seed: 3), samples(21, seed: 4))
        try check(logits, columns: 7, reference) { .divergence($0) }
        try check(logits, columns: 7, reference) { .largestLogits($0) }
        try check(samples(3, seed: 5), columns: 1, samples(3, seed: 6)) { .divergence($0) }
        // Fewer columns than five: all of them.
        try check(samples(6, seed: 7), columns: 2, samples(6, seed: 8)) { .largestLogits($0) }
        let found = try measure(logits, columns: 7, reference) { .divergence($0) }
        let squares = try measure(logits, columns: 7, reference) { .largestLogits($0, count: 2) }
        try Models.rows(logits, 7) { mine in
            try Models.rows(reference, 7) { other in
                #expect(found.sum == other.divergence(mine))
                #expect(squares.sum == other.squaredDifference(mine, atLargest: 2))
            }
        }
        // At the reference itself there is nothing to gain.
        #expect(try measure(logits, columns: 7) { .divergence($0) }.gradient.allSatisfy { $0 == 0 })
    }

    @Test("of drawn labels have the Fisher information as their mean square")
    func draws() throws {
        let model = try Models.load("Tests/Data/small-foods")
        let data = try Models.data(Array(repeating: Models.reviews[0], count: 4))
        let batch = try #require(data.batches(tokens: 1_024, for: model).first)
        let logits: [Float] = (0..<4).flatMap { _ in [1, 0, -1] as [Float] }
        var (mean, square) = ([Double](repeating: 0, count: 3), 0.0)
        for draw in 0..<2_000 {
            let (_, gradient) = try measure(logits, columns: 3) { _ in
                .drawn(LabelDraw(seed: 9, draw: draw, batch, isCausal: false))
            }
            for (index, value) in gradient.enumerated() { mean[index % 3] += Double(value) / 8_000 }
            square += Double(gradient[0] * gradient[0]) / 2_000
        }
        let probability: Double = exp(1) / (exp(1) + 1 + exp(-1))
        #expect(mean.allSatisfy { abs($0) < 0.02 })
        #expect(abs(square - probability * (1 - probability)) < 0.02)
        // Of a regression: variance 1.
        let values = try (0..<500).flatMap { draw in
            try measure([3, 3, 3, 3], columns: 1, scale: 2) { _ in
                .drawn(LabelDraw(seed: 9, draw: draw, batch, isCausal: false))
            }.gradient
        }
        #expect(values.allSatisfy { abs($0) == 2 } && abs(values.reduce(0, +)) < 200)
    }

    @Test("of drawn labels do not depend on how rows are batched")
    func drawsByRow() throws {
        let model = try Models.load("Tests/Data/small-foods")
        let data = try Models.data(Models.reviews)
        func labels(_ tokens: Int) throws -> [Float] {
            try data.batches(tokens: tokens, for: model).flatMap { batch in
                try measure(
                    Array(repeating: 0, count: 7 * batch.sequences), columns: 7
                ) { _ in .drawn(LabelDraw(seed: 1, batch, isCausal: false)) }.gradient
            }
        }
        #expect(try labels(1) == labels(1_024))
    }

    @Test("of a task need labels of its kind")
    func tasks() throws {
        let model = try Models.load("Tests/Data/small-foods")
        let batch = try #require(Models.data(Models.reviews).batches(tokens: 1_024, for: model).first)
        #expect(Loss.task(.classifier(labels: 2), nil, batch) == nil)
        #expect(Loss.task(.classifier(labels: 2), .values([1, 2, 3, 4]), batch) == nil)
        #expect(Loss.task(.none, .classes([0, 0, 1, 1]), batch) == nil)
        guard case .values(let values)? = Loss.task(.regression, .classes([0, 0, 1, 1]), batch) else {
            Issue.record("a regression takes classes as numbers")
            return
        }
        #expect(values == [0, 0, 1, 1])
    }
}
