@testable import SiltEvaluation
@testable import SiltPacking
@testable import SiltTuning
import TensorTypes
import Testing

@Suite("What calibration may be told")
struct CalibrationOptionsTests {
    private func random(_ change: (inout LossyOptions) -> Void = { _ in }) -> LossyOptions {
        var options = LossyOptions()
        change(&options)
        return options
    }

    private func calibration(_ change: (inout CalibrationOptions) -> Void) -> CalibrationOptions {
        var options = CalibrationOptions()
        options.calibration = "data.safetensors"
        change(&options)
        return options
    }

    private func refuses(_ options: CalibrationOptions, _ lossy: LossyOptions?) -> Bool {
        do throws(SiltError) {
            try options.check(lossy)
            return false
        } catch {
            return error.code == .usage
        }
    }

    @Test("every rule passes with random drop and data", arguments: CalibrationOptions.Rule.allCases)
    func rules(rule: CalibrationOptions.Rule) throws {
        try calibration { $0.rule = rule }.check(random())
        var without = CalibrationOptions()
        without.rule = rule
        #expect(refuses(without, random()))
        #expect(refuses(calibration { $0.rule = rule }, nil))
        #expect(refuses(calibration { $0.rule = rule }, random { $0.method = .lowrank }))
    }

    @Test("components have a q down a gradient, and each its own", arguments: CalibrationOptions.Rule.allCases)
    func components(rule: CalibrationOptions.Rule) {
        let transform = random { $0.method = .transform }
        let isGradient = rule == .gradient || rule == .gradientKL
        #expect(refuses(calibration { $0.rule = rule }, transform) == !isGradient)
        for scope in CalibrationOptions.Scope.allCases {
            #expect(refuses(calibration { ($0.rule, $0.scope) = (rule, scope) }, transform))
        }
        #expect(refuses(calibration { ($0.rule, $0.multiplier) = (rule, 2) }, transform))
        // What a random residual keeps has a q as ever.
        let sum = random { ($0.method, $0.residual) = (.transform, .random) }
        let needsAll = [.analytic, .published, .closedForm].contains(rule)
        #expect(refuses(calibration { $0.rule = rule }, sum) == needsAll)
    }

    @Test("rows have factors of their own by some rules only", arguments: CalibrationOptions.Rule.allCases)
    func rows(rule: CalibrationOptions.Rule) {
        let byRow = [.closedForm, .leastSquares, .gradient, .gradientKL].contains(rule)
        #expect(refuses(calibration { ($0.rule, $0.scope) = (rule, .row) }, random()) == !byRow)
        let hasGlobal = rule != .analytic && rule != .published
        #expect(refuses(calibration { ($0.rule, $0.scope) = (rule, .global) }, random()) == !hasGlobal)
    }

    @Test("rules about random drop refuse other masks", arguments: CalibrationOptions.Rule.allCases)
    func masks(rule: CalibrationOptions.Rule) {
        let needsRandom = rule == .analytic || rule == .published || rule == .closedForm
        #expect(refuses(calibration { $0.rule = rule }, random { $0.method = .magnitude }) == needsRandom)
        #expect(refuses(calibration { $0.rule = rule }, random { $0.drop = 0 }) == needsRandom)
    }

    @Test("a multiplier is of rules by layer", arguments: CalibrationOptions.Rule.allCases)
    func multipliers(rule: CalibrationOptions.Rule) {
        let isByLayer = [.analytic, .published, .closedForm, .leastSquares].contains(rule)
        #expect(refuses(calibration { ($0.rule, $0.multiplier) = (rule, 2) }, random()) == !isByLayer)
    }

    @Test("seeds are of random masks, and there are so many")
    func seeds() throws {
        try calibration { $0.seeds = 4 }.check(random())
        #expect(refuses(calibration { $0.seeds = 4 }, random { $0.method = .magnitude }))
        #expect(refuses(calibration { $0.seeds = 4 }, random { $0.seed = .max }))
        #expect(refuses(calibration { $0.seeds = 4 }, random { $0.seed = -1 }))
        #expect(refuses(calibration { $0.seeds = 0 }, random()))
        #expect(refuses(calibration { $0.seeds = 1_001 }, random()))
    }

    @Test("numbers must make sense")
    func numbers() {
        for number in [0, -1, Double.nan, .infinity] {
            #expect(refuses(calibration { ($0.rule, $0.multiplier) = (.closedForm, number) }, random()))
        }
        for bound in [-0.1, Double.nan, .infinity] {
            #expect(refuses(calibration { $0.goal = .divergenceWithin(bound) }, nil))
            let goal = calibration { ($0.goal, $0.validation) = (.metricWithin(bound), "data.safetensors") }
            #expect(refuses(goal, nil))
        }
        #expect(refuses(calibration { $0.goal = .divergenceWithin(0) }, nil))
        #expect(refuses(calibration { $0.goal = .sizeAtMost(0) }, nil))
        #expect(refuses(calibration { $0.examples = 0 }, random()))
        #expect(refuses(calibration { $0.multiplier = 2 }, random()))
        #expect(refuses(calibration { $0.scope = .tensor }, random()))
    }

    @Test("a goal chooses everything itself, on data of its kind")
    func goals() throws {
        let goal = calibration { $0.goal = .divergenceWithin(0.01) }
        try goal.check(nil)
        #expect(refuses(goal, random()))
        for change: (inout CalibrationOptions) -> Void in [
            { $0.rule = .kl }, { $0.scope = .row }, { $0.multiplier = 2 }, { $0.correctsBias = true },
            { $0.calibration = nil },
        ] {
            var other = goal
            change(&other)
            #expect(refuses(other, nil))
        }
        #expect(refuses(calibration { $0.goal = .metricWithin(0.01) }, nil))
        try calibration { ($0.goal, $0.validation) = (.metricWithin(0), "data.safetensors") }.check(nil)
    }

    @Test(
        "four digits, of any number",
        arguments: [(0.123456, 0.1235), (1, 1), (0, 0), (0x1p-1040, 0x1p-1040), (1e300, 1e300)])
    func rounding(value: Double, wanted: Double) { #expect(FactorFinder.rounded(value) == wanted) }

    @Test("what an evaluator's last line says")
    func evaluators() {
        #expect(ExternalEvaluator.parse("0.75")?.value == 0.75)
        #expect(ExternalEvaluator.parse("{\"metric\": \"f1\", \"value\": 1}")?.metric == "f1")
        #expect(ExternalEvaluator.parse("{\"loss\": 2.5, \"task\": \"x\"}")?.metric == "loss")
        for line in ["nan", "inf", "", "accuracy 0.5", "[1]", "{}", "{\"a\": 1, \"b\": 2}", "{\"value\": \"1\"}"] {
            #expect(ExternalEvaluator.parse(line) == nil)
        }
        #expect(throws: SiltError.self) { try ExternalEvaluator("echo 1") }
    }

    @Test("options in words and for programs: what is the default is left out")
    func words() {
        #expect(random().words == "random, drop 0.9")
        #expect(random().json == .members(["method": .string("random"), "drop": .number(0.9)]))
        let transform = random { ($0.method, $0.quality, $0.deadZone) = (.transform, 2, -0.7) }
        #expect(transform.words == "transform, quality 2, dead-zone -0.7")
        let sum = random { ($0.method, $0.residual, $0.rank, $0.seed) = (.lowrank, .random, 4, 3) }
        #expect(sum.words == "lowrank+random, drop 0.9, rank 4, seed 3")
    }

    @Test("an evaluator goes with a bound of its number, and with no other measure of it")
    func evaluator() throws {
        func options(_ change: (inout CalibrationOptions) -> Void = { _ in }) -> CalibrationOptions {
            var options = CalibrationOptions()
            (options.evaluator, options.goal) = ("measure {model}", .metricWithin(0.01))
            change(&options)
            return options
        }
        try options().check(nil)
        try options { $0.evaluatorLowerIsBetter = true }.check(nil)
        try options { ($0.calibration, $0.examples) = ("data.safetensors", 8) }.check(nil)
        #expect(refuses(options(), random()))
        #expect(refuses(options { $0.evaluator = "measure" }, nil))
        #expect(refuses(options { $0.goal = .divergenceWithin(1) }, nil))
        #expect(refuses(options { ($0.goal, $0.calibration) = (.sizeAtMost(1_000), "data.safetensors") }, nil))
        #expect(refuses(options { $0.validation = "data.safetensors" }, nil))
        #expect(refuses(options { $0.examples = 8 }, nil))
        #expect(refuses(options { ($0.goal, $0.calibration) = (nil, "data.safetensors") }, random()))
        let direction = options { ($0.evaluator, $0.validation, $0.evaluatorLowerIsBetter) = (nil, "data", true) }
        #expect(refuses(direction, nil))
    }
}
