import Foundation
import TensorTypes
import Testing
import Transformers

@Suite("Roots of the Fisher information")
struct FisherTests {
    private func root(_ logits: [Float], columns: Int, draw: Int, _ batch: TokenBatch) throws -> [Float] {
        try unsafe logits.withUnsafeBufferPointer { buffer in
            // No test has no logits.
            guard let start = buffer.baseAddress else { return [] }
            let rows = try unsafe LogitRows(start, rows: logits.count / columns, columns: columns)
            var gradient = [Float](repeating: .nan, count: logits.count)
            unsafe rows.fisherRoot(LabelDraw(seed: 4, draw: draw, batch, isCausal: false), to: &gradient)
            return gradient
        }
    }

    @Test("have it as the mean of their products", arguments: [2, 3, 200])
    func products(columns: Int) throws {
        let model = try Models.load("Tests/Data/small-foods")
        let data = try Models.data(Array(repeating: Models.reviews[0], count: 2))
        let batch = try #require(data.batches(tokens: 1_024, for: model).first)
        let row = (0..<columns).map { Float($0 % 5) / 2 }
        let total = row.reduce(0.0) { $0 + exp(Double($1)) }
        let p = row.map { exp(Double($0)) / total }
        // Of the first three labels, and the last.
        let places = [0, 1, min(2, columns - 1), columns - 1]
        var products = [Double](repeating: 0, count: 16)
        for draw in 0..<4_000 {
            let gradient = try root(row + row, columns: columns, draw: draw, batch)
            #expect(abs(gradient.prefix(columns).reduce(0, +)) < 1e-4)
            for start in [0, columns] {
                for (index, one) in places.enumerated() {
                    for (other, place) in places.enumerated() {
                        products[4 * index + other] += Double(gradient[start + one] * gradient[start + place]) / 8_000
                    }
                }
            }
        }
        for (index, one) in places.enumerated() {
            for (other, place) in places.enumerated() {
                let expected = (one == place ? p[one] : 0) - p[one] * p[place]
                #expect(abs(products[4 * index + other] - expected) < 0.05 * p.max()!)
            }
        }
        // Of a regression: 1.
        let values = try root([2, 3], columns: 1, draw: 0, batch)
        #expect(values.allSatisfy { abs($0) == 1 })
    }
}
