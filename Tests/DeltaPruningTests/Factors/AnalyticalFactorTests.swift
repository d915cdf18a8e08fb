import DeltaKernels
@testable import DeltaPruning
import TensorTypes
import Testing

@Suite("Analytical factors")
struct AnalyticalFactorTests {
    private static func scaled(_ count: Int, seed: UInt64, by scale: Float) -> [Float] {
        Samples.uniform(count, seed: seed).map { $0 * scale }
    }

    @Test("minimise the bound of each row, and the median is the layer's", arguments: [0.5, 0.9, 0.99], [0.4, 3])
    func sound(drop: Double, eta: Double) {
        let (rows, columns) = (9, 40)
        let delta = AnalyticalFactorTests.scaled(rows * columns, seed: 3, by: 0.3)
        let means = Samples.uniform(columns, seed: 4).map { Double($0) }
        let bias = AnalyticalFactorTests.scaled(rows, seed: 5, by: 0.1)
        let analytical = AnalyticalFactor(drop: drop, eta: eta)
        let factors = analytical.rowFactors(delta: delta.span, rows: rows, means: means, bias: bias)
        for row in 0..<rows {
            let terms =
                (0..<columns).map { Double(delta[row * columns + $0]) * means[$0] } + [Double(bias[row])]
            let sum = terms.reduce(0, +).magnitude
            let squares = terms.reduce(0) { $0 + $1 * $1 }
            func bound(_ factor: Double) -> Double {
                eta * (1 - (1 - drop) / factor) * sum
                    + eta * eta * DroppingTheory.phi(drop) * squares / (4 * factor * factor)
            }
            for step in 0...1_000 {
                let trial = (1 - drop) + drop * Double(step) / 1_000
                #expect(bound(factors[row]) <= bound(trial) + 1e-12)
            }
        }
        let layer = analytical.factor(delta: delta.span, rows: rows, means: means, bias: bias)
        #expect(layer == factors.sorted()[4])
    }

    @Test("leave out rows of zeros, and stay in range at the ends")
    func degenerate() {
        let delta: [Float] = [0, 0, 1, -1, 1, 1, 0, 0]
        let analytical = AnalyticalFactor(drop: 0.9, eta: 1)
        let factors = analytical.rowFactors(delta: delta.span, rows: 4, means: [1, 1])
        #expect(factors[0].isNaN && factors[1] == 1 && factors[3].isNaN)
        // eta Phi Q / (2 (1 - p) |S|) with Q = 2, S = 2.
        #expect(isClose(factors[2], min(max(0.364_1 / 0.2, 0.1), 1), 1e-3))
        #expect(analytical.factor(delta: delta.span, rows: 4, means: [1, 1]) == (factors[1] + factors[2]) / 2)
        let zeros: [Float] = [0, 0]
        #expect(isClose(analytical.factor(delta: zeros.span, rows: 1, means: [1, 1]), 0.1, 1e-12))
        for version in [AnalyticalFactor.Version.sound, .published] {
            for drop in [0, 1e-17, 0.000_1, 0.5, 0.999_9, 1 - 1e-16] {
                let ends = AnalyticalFactor(drop: drop, eta: 0.5, version: version)
                let factor = ends.factor(delta: delta.span, rows: 4, means: [1, 1])
                #expect(factor >= 0 && factor <= 1, "\(version) \(drop)")
            }
        }
    }

    /// A layer with what an independent emulation of the published loop, in NumPy's F16 and F32, gives for it.
    struct Example: Sendable {
        let (rows, columns): (Int, Int)
        let (delta, mean): (Float, Float)
        let bias: Float?
        let (drop, eta): (Double, Double)
        let factor: Double
        let firstRows: [Double]
    }

    static let examples = [
        Example(
            rows: 40, columns: 300, delta: 0.01, mean: 1, bias: nil, drop: 0.99, eta: 0.37,
            factor: 0.032_974_999_863_654_375, firstRows: [0.033, 0.033, 0.033, 0.033, 0.033, 0.032, 0.033]),
        Example(
            rows: 40, columns: 300, delta: 0.01, mean: 1, bias: nil, drop: 0.99, eta: 1.01,
            factor: 0.061_999_998_986_721_04, firstRows: [0.062, 0.062, 0.062, 0.062, 0.062, 0.062, 0.062]),
        Example(
            rows: 40, columns: 300, delta: 0.05, mean: 2, bias: 0.01, drop: 0.9, eta: 3,
            factor: 0.536_975_000_798_702_2, firstRows: [0.537, 0.537, 0.537, 0.537, 0.537, 0.537, 0.537]),
        Example(
            rows: 40, columns: 300, delta: 0.3, mean: 1, bias: nil, drop: 0.99, eta: 1.01,
            factor: 0.446_274_997_293_949_15, firstRows: [0.447, 0.447, 0.447, 0.447, 0.447, 0.447, 0.447]),
        Example(
            rows: 7, columns: 20, delta: 1, mean: 1, bias: 0.5, drop: 0.5, eta: 1,
            factor: 0.535_857_158_047_812_3, firstRows: [0.549, 0.549, 0.501, 0.549, 0.505, 0.549, 0.549]),
    ]

    @Test("as published are those of F16", arguments: examples)
    func published(example: Example) {
        let delta = AnalyticalFactorTests.scaled(example.rows * example.columns, seed: 11, by: example.delta)
        let means = AnalyticalFactorTests.scaled(example.columns, seed: 12, by: example.mean).map { Double($0) }
        let bias = example.bias.map { AnalyticalFactorTests.scaled(example.rows, seed: 13, by: $0) }
        let analytical = AnalyticalFactor(drop: example.drop, eta: example.eta, version: .published)
        let factors = analytical.rowFactors(delta: delta.span, rows: example.rows, means: means, bias: bias)
        #expect(zip(factors, example.firstRows).allSatisfy { ($0 - $1).magnitude < 1e-6 })
        let factor = analytical.factor(delta: delta.span, rows: example.rows, means: means, bias: bias)
        #expect((factor - example.factor).magnitude < 1e-9)
    }

    @Test("round to F16 as the conversion does")
    func halves() {
        var values = Samples.uniform(2_000, seed: 1).enumerated().map { index, value in
            Float(sign: .plus, exponent: index % 44 - 27, significand: value)
        }
        // Ties, the largest number, what is just past it, the smallest.
        values += [1 + 0x1p-11, 1 + 3 * 0x1p-11, 65_504, 65_519, 65_520, 0x1p-24, 0x1p-25, 0x1.8p-25, 0, -0.0]
        values += [.infinity, -.infinity, .leastNonzeroMagnitude, 1e30, -65_520]
        var halves = [UInt16](repeating: 0, count: values.count)
        var back = values
        unsafe FloatConversion.convert(&values, .f32, to: &halves, .f16, count: values.count)
        unsafe FloatConversion.convert(&halves, .f16, to: &back, .f32, count: values.count)
        for index in values.indices {
            #expect(HalfPrecision.rounded(values[index]) == back[index], "\(values[index])")
        }
        #expect(HalfPrecision.rounded(.nan).isNaN)
    }

    @Test("have a logarithm and an exponential that are exact enough")
    func elementary() {
        #expect(isClose(Elementary.log(10), 2.302_585_092_994_046, 1e-15))
        #expect(isClose(Elementary.log(0.001), -6.907_755_278_982_137, 1e-15))
        #expect(isClose(Elementary.log(.leastNonzeroMagnitude), -744.440_071_921_381_3, 1e-15))
        #expect(Elementary.log(1) == 0 && Elementary.exp(0) == 1)
        #expect(isClose(Elementary.exp(1), 2.718_281_828_459_045, 1e-15))
        #expect(isClose(Elementary.exp(-20.5), 1.250_152_866_386_743_4e-9, 1e-14))
        #expect(Elementary.exp(-1_000) == 0 && Elementary.exp(1_000) == .infinity)
        for value in stride(from: 0.001, to: 5, by: 0.37) {
            #expect(isClose(Elementary.exp(Elementary.log(value)), value, 1e-14))
        }
    }
}
