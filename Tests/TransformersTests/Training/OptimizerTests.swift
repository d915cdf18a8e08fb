import TensorTypes
import TestSupport
import Testing
@testable import Transformers

/// A few parameters with made-up gradients.
private struct Scene {
    var parameters: [TrainedParameter] = []
    let gradients: [GradientTable]

    /// - Parameters:
    ///   - steps: gradients that there are.
    ///   - size: what gradients are multiplied by.
    init(steps: Int = 5, size: Float = 1, isNew: Bool = false) {
        var generator = SeededGenerator(seed: 3)
        func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in Float(generator.below(2_001) - 1_000) / 1_000 } }
        var table = WeightTable()
        // More than a block, no multiple of lanes, and a vector.
        for (name, count) in [("a", Optimizer.blockElements + 37), ("b", 3)] {
            let values = numbers(count)
            let start = unsafe FloatTensor(shape: [count]) { start in
                for index in 0..<count { unsafe start[index] = values[index] }
            }
            table[name] = start
            parameters.append(TrainedParameter(name: name, start: start, isNew: isNew && name == "b"))
        }
        gradients = (0..<steps).map { _ in
            let gradient = GradientTable(for: table)
            for name in ["a", "b"] {
                guard let tensor = gradient[name] else { continue }
                for index in 0..<tensor.count { unsafe tensor.start[index] = size * numbers(1)[0] }
            }
            return gradient
        }
    }

    /// Takes all steps at one rate; the values afterwards.
    @discardableResult
    func run(_ rule: OptimizerRule, rate: Double = 0.01, newRate: Double = 0.1, level: KernelLevel = .best) -> [Float] {
        let optimizer = Optimizer(rule, parameters, level: level)
        for (step, table) in gradients.enumerated() {
            let place = Gradients(table, parameters)
            let sum = (0..<optimizer.blocks).reduce(0) { $0 + optimizer.follow($1, place, scale: 1) }
            let mean = sum / Double(optimizer.count)
            let known = rule.step(step + 1, rate: rate, secondMoment: mean)
            let new = rule.step(step + 1, rate: newRate, secondMoment: mean)
            for block in 0..<optimizer.blocks { optimizer.move(block, known, new: new) }
        }
        return values
    }

    var values: [Float] { parameters.flatMap { $0.values.tensor.values } }
    var start: [Float] { parameters.flatMap { $0.base?.values ?? [] } }
}

@Suite("Optimizers")
struct OptimizerTests {
    private func rule(pull: Double = 0, norm: OptimizerRule.Norm = .l2, isScaled: Bool = true) -> OptimizerRule {
        var rule = OptimizerRule()
        (rule.pull, rule.norm, rule.isPullScaled) = (pull, norm, isScaled)
        return rule
    }

    @Test("Adam with and without a pull is what the formulas say in binary64")
    func formulas() {
        let cases: [(OptimizerRule, decay: Double)] = [
            (rule(), 0), (rule(), 0.1), (rule(pull: 0.02), 0), (rule(pull: 3, isScaled: false), 0),
            (rule(pull: 0.003, norm: .l1), 0), (rule(pull: 0.1, norm: .l1, isScaled: false), 0),
        ]
        for (base, decay) in cases {
            var rule = base
            rule.decay = decay
            let scene = Scene()
            var theta = scene.start.map { Double($0) }
            let origin = theta
            var (m, v) = ([Double](repeating: 0, count: theta.count), [Double](repeating: 0, count: theta.count))
            var (power1, power2) = (1.0, 1.0)
            for table in scene.gradients {
                let gradient = ["a", "b"].flatMap { table[$0]?.values ?? [] }
                (power1, power2) = (power1 * 0.9, power2 * 0.999)
                for index in theta.indices {
                    let g = Double(gradient[index])
                    m[index] = 0.9 * m[index] + 0.1 * g
                    v[index] = 0.999 * v[index] + 0.001 * g * g
                }
                let mean = v.reduce(0, +) / Double(v.count) / (1 - power2)
                let pull = 0.01 * rule.pull / (rule.isPullScaled ? mean.squareRoot() : 1)
                for index in theta.indices {
                    let difference = theta[index] - origin[index]
                    theta[index] -=
                        pull * (rule.norm == .l2 ? difference : difference == 0 ? 0 : difference < 0 ? -1 : 1)
                    theta[index] -= 0.01 * decay * theta[index]
                    theta[index] -= 0.01 / (1 - power1) * m[index] / ((v[index] / (1 - power2)).squareRoot() + 1e-8)
                }
            }
            let found = scene.run(rule)
            let others = zip(found, theta).count { abs(Double($0) - $1) > 2e-6 }
            // Rounding decides whether a difference is above or below 0, for very few of them.
            #expect(others <= (rule.norm == .l1 ? 20 : 0), "\(rule): \(others)")
        }
    }

    @Test("a pull of 0 is Adam, bit for bit")
    func noPull() {
        let adam = Scene().run(rule())
        for norm in [OptimizerRule.Norm.l2, .l1] {
            #expect(Scene().run(rule(pull: 0, norm: norm)) == adam)
            #expect(Scene().run(rule(pull: 0.01, norm: norm)) != adam)
        }
    }

    @Test("without gradients the base is a fixed point")
    func fixedPoint() {
        for norm in [OptimizerRule.Norm.l2, .l1] {
            let scene = Scene(size: 0)
            #expect(scene.run(rule(pull: 10, norm: norm)) == scene.start)
        }
    }

    @Test("the divisor is the root of the corrected mean, or 1 if that is 0")
    func divisor() {
        let rule = rule(pull: 2)
        // After one step v is 0.001 g^2, and the correction gives g^2 back.
        #expect(abs(rule.step(1, rate: 0.5, secondMoment: 0.001 * 16).pull - 0.5 * 2 / 4) < 1e-4)
        #expect(rule.step(7, rate: 0.5, secondMoment: 0).pull == 1)
        #expect(self.rule(pull: 2, isScaled: false).step(1, rate: 0.5, secondMoment: 16).pull == 1)
    }

    @Test("new layers have their own rate and no pull")
    func newLayers() {
        let (pulled, free) = (Scene(isNew: true), Scene(isNew: true))
        pulled.run(rule(pull: 1), newRate: 0.1)
        free.run(rule(), newRate: 0.1)
        #expect(pulled.parameters[1].values.tensor.values == free.parameters[1].values.tensor.values)
        #expect(pulled.parameters[0].values.tensor.values != free.parameters[0].values.tensor.values)
        let slow = Scene(isNew: true)
        slow.run(rule(), newRate: 0.01)
        #expect(slow.parameters[0].values.tensor.values == free.parameters[0].values.tensor.values)
        #expect(slow.parameters[1].values.tensor.values != free.parameters[1].values.tensor.values)
    }

    @Test("all levels give the same bits")
    func levels() {
        var rule = rule(pull: 0.02)
        rule.decay = 0.01
        let expected = Scene().run(rule, level: .scalar)
        for level in KernelLevel.available { #expect(Scene().run(rule, level: level) == expected) }
    }

    @Test("the squares of all blocks are those of the gradient")
    func squares() {
        let scene = Scene(steps: 1)
        let optimizer = Optimizer(rule(), scene.parameters)
        let place = Gradients(scene.gradients[0], scene.parameters)
        let found = (0..<optimizer.blocks).reduce(0) { $0 + optimizer.squares($1, place) }
        let all = ["a", "b"].flatMap { scene.gradients[0][$0]?.values ?? [] }.reduce(0) { $0 + Double($1) * Double($1) }
        #expect(abs(found - all) < 1e-9 * all)
    }

    @Test("a gradient that is no number shows in the sum of its squares")
    func notANumber() {
        let scene = Scene(steps: 1)
        if let tensor = scene.gradients[0]["a"] { unsafe tensor.start[Optimizer.blockElements + 3] = .nan }
        let optimizer = Optimizer(rule(), scene.parameters)
        let place = Gradients(scene.gradients[0], scene.parameters)
        #expect((0..<optimizer.blocks).reduce(0) { $0 + optimizer.squares($1, place) }.isNaN)
    }
}
