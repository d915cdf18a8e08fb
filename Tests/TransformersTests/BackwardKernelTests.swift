import CSiltKernels
import Foundation
import TensorTypes
import TestSupport
import Testing

@Suite("Kernels of backward passes")
struct BackwardKernelTests {
    private func samples(_ count: Int, _ range: Float, seed: UInt64) -> [Float] {
        LayerKernelTests.samples(count, range, seed: seed)
    }

    private func slopes(_ level: KernelLevel, _ function: Int, _ values: [Float]) -> [Float] {
        var gradients = values.map { _ in Float(1) }
        unsafe silt_activate_backward(level.rawValue, Int32(function), values, nil, &gradients, nil, values.count)
        return gradients
    }

    @Test("slopes of activations are those of differences", arguments: LayerKernelTests.functions.indices)
    func activations(index: Int) {
        let (code, exact) = LayerKernelTests.functions[index]
        let values = samples(3_000, 8, seed: 1) + samples(500, 0.5, seed: 2)
        for (value, slope) in zip(values, slopes(.best, code, values)) where value.magnitude > 1e-3 {
            let (x, step) = (Double(value), 1e-4)
            let expected = (exact(x + step) - exact(x - step)) / (2 * step)
            #expect(abs(Double(slope) - expected) <= 2e-6, "\(code) at \(value): \(slope), not \(expected)")
        }
        // Far out, and where a function has a corner.
        let far: [Float] = [0, 1e30, -1e30, 200, -200, .infinity]
        for (value, slope) in zip(far.dropLast(), slopes(.best, code, far)) {
            let expected: Double
            switch code {
            case Int(SILT_IDENTITY): expected = 1
            case Int(SILT_TANH): expected = value == 0 ? 1 : 0
            case Int(SILT_RELU): expected = value > 0 ? 1 : 0
            default: expected = value == 0 ? 0.5 : value > 0 ? 1 : 0
            }
            #expect(abs(Double(slope) - expected) <= 1e-6, "\(code) at \(value): \(slope)")
        }
        #expect(slopes(.best, code, [1, .nan, 2])[1].isNaN || code == Int(SILT_IDENTITY))
    }

    @Test("gradients of gated activations are those of the product", arguments: LayerKernelTests.functions.indices)
    func gates(index: Int) {
        let (code, exact) = LayerKernelTests.functions[index]
        let (values, factors) = (samples(50, 3, seed: 3), samples(50, 2, seed: 4))
        let before = samples(50, 1, seed: 5)
        var (gradients, others) = (before, [Float](repeating: .nan, count: 50))
        unsafe silt_activate_backward(
            KernelLevel.best.rawValue, Int32(code), values, factors, &gradients, &others, 50)
        for (place, slope) in slopes(.best, code, values).enumerated() {
            #expect(abs(gradients[place] - before[place] * factors[place] * slope) <= 1e-5)
            #expect(abs(Double(others[place]) - Double(before[place]) * exact(Double(values[place]))) <= 1e-5)
        }
    }

    @Test("gradients of norms are those of differences", arguments: [1, 16, 23], [0, 1])
    func norms(columns: Int, isRoot: Int) {
        let rows = 3
        let values = samples(rows * columns, 2, seed: 6)
        let (gain, gradient) = (samples(columns, 1, seed: 7), samples(rows * columns, 1, seed: 8))
        /// The sum of all outputs, weighted by `gradient`, in binary64.
        func loss(_ x: [Double], _ gain: [Double]) -> Double {
            var sum = 0.0
            for row in 0..<rows {
                let part = Array(x[row * columns..<(row + 1) * columns])
                let mean = isRoot == 1 ? 0 : part.reduce(0, +) / Double(columns)
                let square = part.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(columns)
                for (index, value) in part.enumerated() {
                    sum +=
                        Double(gradient[row * columns + index]) * gain[index] * (value - mean)
                        / (square + 0.01).squareRoot()
                }
            }
            return sum
        }
        var (out, gains, biases) = (samples(values.count, 1, seed: 9), samples(columns, 1, seed: 10), gain)
        let (outBefore, gainsBefore) = (out, gains)
        unsafe silt_norm_backward(
            KernelLevel.best.rawValue, values, gradient, rows, columns, gain, 0.01, Int32(isRoot), 1, &out, &gains,
            &biases)
        let (x, g) = (values.map { Double($0) }, gain.map { Double($0) })
        func slope(_ values: [Double], _ index: Int, _ loss: ([Double]) -> Double) -> Double {
            var (above, below) = (values, values)
            above[index] += 1e-5
            below[index] -= 1e-5
            return (loss(above) - loss(below)) / 2e-5
        }
        for index in values.indices {
            #expect(abs(Double(out[index] - outBefore[index]) - slope(x, index) { loss($0, g) }) < 2e-5)
        }
        for index in gain.indices {
            #expect(abs(Double(gains[index] - gainsBefore[index]) - slope(g, index) { loss(x, $0) }) < 2e-5)
            let sum = (0..<rows).reduce(Float(0)) { $0 + gradient[$1 * columns + index] }
            #expect(abs(biases[index] - gain[index] - sum) < 1e-5)
        }
        // In place, and without the weights' gradients.
        var place = gradient
        unsafe silt_norm_backward(
            KernelLevel.best.rawValue, values, place, rows, columns, gain, 0.01, Int32(isRoot), 0, &place, nil, nil)
        for index in values.indices { #expect(abs(place[index] - (out[index] - outBefore[index])) < 1e-5) }
    }

    @Test("gradients of softmax are those of its Jacobian", arguments: [1, 16, 21])
    func softmax(columns: Int) {
        var weights = samples(2 * columns, 3, seed: 11)
        unsafe silt_softmax(KernelLevel.best.rawValue, &weights, 2, columns)
        let before = samples(2 * columns, 1, seed: 12)
        var gradients = before
        unsafe silt_softmax_backward(KernelLevel.best.rawValue, weights, &gradients, 2, columns)
        for row in 0..<2 {
            for column in 0..<columns {
                let place = row * columns + column
                var expected = 0.0
                for other in 0..<columns {
                    let same: Double = other == column ? 1 : 0
                    expected +=
                        Double(before[row * columns + other]) * Double(weights[row * columns + other])
                        * (same - Double(weights[place]))
                }
                #expect(abs(Double(gradients[place]) - expected) < 1e-6)
            }
        }
    }

    @Test("a rotation's gradient is its transpose", arguments: [4, 32, 36])
    func rotation(width: Int) {
        let half = width / 2
        let (cosines, sines) = (samples(5 * half, 1, seed: 13), samples(5 * half, 1, seed: 14))
        let positions: [Int32] = [4, 0, 3]
        let (x, y) = (samples(3 * 2 * width, 1, seed: 15), samples(3 * 2 * width, 1, seed: 16))
        var (forward, backward) = (x, y)
        let level = KernelLevel.best.rawValue
        unsafe silt_rotate(level, &forward, 3, 2, width, half, cosines, sines, positions)
        unsafe silt_rotate_backward(level, &backward, 3, 2, width, half, cosines, sines, positions)
        let left = zip(forward, y).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        let right = zip(x, backward).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        #expect(abs(left - right) < 1e-5 && abs(left) > 1e-3)
    }

    @Test("rows go back to where they were taken", arguments: [3, 16, 40])
    func rows(columns: Int) {
        let table = samples(4 * columns, 1, seed: 17)
        let rows = samples(3 * columns, 1, seed: 18)
        var sums = table
        unsafe silt_give_rows(KernelLevel.best.rawValue, rows, columns, [2, 0, 2], 3, &sums)
        for column in 0..<columns {
            #expect(sums[column] == table[column] + rows[columns + column])
            #expect(sums[columns + column] == table[columns + column])
            let twice = table[2 * columns + column] + rows[column] + rows[2 * columns + column]
            #expect(sums[2 * columns + column] == twice)
        }
        var sum = [Float](repeating: 1, count: columns)
        unsafe silt_sum_rows(KernelLevel.best.rawValue, rows, 3, columns, &sum)
        for column in 0..<columns {
            #expect(sum[column] == 1 + rows[column] + rows[columns + column] + rows[2 * columns + column])
        }
    }

    @Test("all levels give the same bits", arguments: [1, 7, 16, 17, 63, 384])
    func levels(columns: Int) {
        let (values, gradient) = (samples(5 * columns, 4, seed: UInt64(columns)), samples(5 * columns, 1, seed: 19))
        let gain = samples(columns, 1, seed: 20)
        func results(_ level: KernelLevel) -> [[UInt32]] {
            let raw = level.rawValue
            var results: [[Float]] = []
            for (code, _) in LayerKernelTests.functions {
                var (gradients, others) = (gradient, gradient)
                unsafe silt_activate_backward(
                    raw, Int32(code), values, values, &gradients, &others, values.count)
                results += [gradients, others]
            }
            for isRoot in [Int32(0), 1] {
                var (out, gains, biases) = (gradient, gain, gain)
                unsafe silt_norm_backward(
                    raw, values, gradient, 5, columns, gain, 1e-5, isRoot, 1, &out, &gains, &biases)
                results += [out, gains, biases]
            }
            var scores = gradient
            unsafe silt_softmax_backward(raw, values, &scores, 5, columns)
            results.append(scores)
            var rotated = gradient
            unsafe silt_rotate_backward(raw, &rotated, 5, 1, columns, columns / 2, values, gradient, [0, 1, 2, 1, 0])
            results.append(rotated)
            var sum = gain
            unsafe silt_sum_rows(raw, values, 5, columns, &sum)
            results.append(sum)
            return results.map { $0.map(\.bitPattern) }
        }
        let scalar = results(.scalar)
        for level in KernelLevel.available { #expect(results(level) == scalar, "\(level)") }
    }
}
