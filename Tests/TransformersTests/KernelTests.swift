import CSiltKernels
import Foundation
import TensorTypes
import TestSupport
import Testing

@Suite("Kernels of layers")
struct LayerKernelTests {
    /// Values between -range and range.
    static func samples(_ count: Int, _ range: Float, seed: UInt64) -> [Float] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in (Float(generator.below(2_000_001)) / 1_000_000 - 1) * range }
    }

    private func samples(_ count: Int, _ range: Float, seed: UInt64) -> [Float] {
        LayerKernelTests.samples(count, range, seed: seed)
    }

    private func activate(_ level: KernelLevel, _ function: Int, _ values: [Float], _ factors: [Float]? = nil)
        -> [Float]
    {
        var values = values
        if let factors {
            unsafe silt_activate(level.rawValue, Int32(function), &values, factors, values.count)
        } else {
            unsafe silt_activate(level.rawValue, Int32(function), &values, nil, values.count)
        }
        return values
    }

    /// Every activation, and what it computes.
    static let functions: [(code: Int, exact: @Sendable (Double) -> Double)] = [
        (Int(SILT_IDENTITY), { $0 }),
        (Int(SILT_GELU), { $0 * 0.5 * erfc(-$0 / 2.0.squareRoot()) }),
        (Int(SILT_GELU_TANH), { $0 / 2 * (1 + tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0))) }),
        (Int(SILT_RELU), { max($0, 0) }),
        (Int(SILT_SILU), { $0 / (1 + exp(-$0)) }),
        (Int(SILT_TANH), { tanh($0) }),
    ]

    @Test("activations are exact to 1e-6 of the result or 2e-7", arguments: functions.indices)
    func activations(index: Int) {
        let (code, exact) = LayerKernelTests.functions[index]
        let values =
            samples(3_000, 8, seed: 1) + samples(500, 0.01, seed: 2) + samples(500, 200, seed: 3)
            + [0, -0.0, 6.5, -6.5, 1e30, -1e30, 88, -88]
        let results = activate(.best, code, values)
        for (value, result) in zip(values, results) {
            let expected = exact(Double(value))
            #expect(
                abs(Double(result) - expected) <= max(1e-6 * abs(expected), 2e-7), "\(code) at \(value): \(result)")
        }
        let factors = samples(values.count, 3, seed: 4)
        #expect(activate(.best, code, values, factors) == zip(results, factors).map { $0 * $1 })
    }

    @Test("all levels give the same bits", arguments: [1, 7, 16, 17, 63, 384])
    func levels(columns: Int) {
        let values = samples(5 * columns, 4, seed: UInt64(columns))
        let gain = samples(columns, 1, seed: 8)
        let bias = samples(columns, 1, seed: 9)
        func results(_ level: KernelLevel) -> [[UInt32]] {
            let raw = level.rawValue
            var results = LayerKernelTests.functions.map { activate(level, $0.code, values) }
            var out = values
            unsafe silt_layer_norm(raw, values, 5, columns, gain, bias, 1e-12, &out)
            results.append(out)
            unsafe silt_rms_norm(raw, values, 5, columns, gain, 1e-6, &out)
            results.append(out)
            out = values
            unsafe silt_softmax(raw, &out, 5, columns)
            results.append(out)
            unsafe silt_spread_row(raw, bias, 5, columns, 1, &out)
            results.append(out)
            return results.map { $0.map(\.bitPattern) }
        }
        let scalar = results(.scalar)
        for level in KernelLevel.available { #expect(results(level) == scalar, "\(level)") }
    }

    @Test("norms are those of the formulas", arguments: [1, 16, 50])
    func norms(columns: Int) {
        let values = samples(3 * columns, 2, seed: 5)
        let (gain, bias) = (samples(columns, 1, seed: 6), samples(columns, 1, seed: 7))
        var (layer, root) = (values, values)
        unsafe silt_layer_norm(KernelLevel.best.rawValue, layer, 3, columns, gain, bias, 1e-5, &layer)
        unsafe silt_rms_norm(KernelLevel.best.rawValue, root, 3, columns, gain, 1e-5, &root)
        for row in 0..<3 {
            let x = values[row * columns..<(row + 1) * columns].map { Double($0) }
            let mean = x.reduce(0, +) / Double(columns)
            let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(columns)
            let square = x.reduce(0) { $0 + $1 * $1 } / Double(columns)
            for (index, value) in x.enumerated() {
                let normal = (value - mean) / (variance + 1e-5).squareRoot()
                let expected = normal * Double(gain[index]) + Double(bias[index])
                #expect(abs(Double(layer[row * columns + index]) - expected) < 2e-6)
                let other = value / (square + 1e-5).squareRoot() * Double(gain[index])
                #expect(abs(Double(root[row * columns + index]) - other) < 2e-6)
            }
        }
    }

    @Test("softmax sees the tokens of the window only", arguments: [0, 1, 3, 20])
    func causalSoftmax(window: Int) {
        let positions: [Int32] = [0, 1, 4, 5, 6, 9, 10]
        let values = samples(4 * 7, 5, seed: 11)
        var scores = values
        unsafe silt_softmax_causal(KernelLevel.best.rawValue, &scores, 4, 7, 3, positions, Int32(window))
        for row in 0..<4 {
            let token = row + 3
            let seen = (0..<7).map { column in
                column <= token && (window == 0 || Int(positions[token] - positions[column]) < window)
            }
            let weights = (0..<7).map { seen[$0] ? exp(Double(values[row * 7 + $0])) : 0 }
            let sum = weights.reduce(0, +)
            for column in 0..<7 {
                let found = scores[row * 7 + column]
                #expect(seen[column] ? abs(Double(found) - weights[column] / sum) < 2e-7 : found == 0)
            }
        }
    }

    @Test("a NaN stays one, through every function")
    func notNumbers() {
        for (code, _) in LayerKernelTests.functions {
            #expect(activate(.best, code, [1, .nan, 2])[1].isNaN, "\(code)")
        }
        var scores: [Float] = [1, .nan, 2]
        unsafe silt_softmax(KernelLevel.best.rawValue, &scores, 1, 3)
        #expect(scores.allSatisfy { $0.isNaN })
    }

    @Test("the log of a sum is exact", arguments: KernelLevel.available)
    func logSums(level: KernelLevel) {
        for count in [1, 7, 8, 100] {
            let values = samples(count, 30, seed: UInt64(count))
            let most = Double(values.max() ?? 0)
            let expected = most + log(values.reduce(0) { $0 + exp(Double($1) - most) })
            #expect(abs(unsafe silt_log_sum(level.rawValue, values, count) - expected) < 1e-13 * abs(expected) + 1e-14)
        }
        #expect(unsafe silt_log_sum(level.rawValue, [1_000, -1_000], 2) == 1_000)
    }
}
