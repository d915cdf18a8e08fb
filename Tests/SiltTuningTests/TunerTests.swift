import SiltEvaluation
import SiltPacking
import SiltReading
import SiltTuning
import TensorTypes
import Testing

@Suite("What calibration decides")
struct TunerTests {
    private let pair: TinyPair

    init() throws { pair = try TinyPair() }

    private func dare(_ change: (inout LossyOptions) -> Void = { _ in }) -> LossyOptions {
        var options = LossyOptions()
        (options.vectors, options.heads) = (.int4, .method)
        change(&options)
        return options
    }

    /// The divergence with q = 1 - p.
    private func plain(_ options: LossyOptions) throws -> Double { try #require(pair.pack(options).recorded("kl")) }

    @Test(
        "a q that divergence chooses is no worse than 1 - p",
        arguments: [CalibrationOptions.Rule.kl, .gradientKL, .leastSquares])
    func noWorse(rule: CalibrationOptions.Rule) throws {
        let options = dare()
        let packed = try pair.pack(options) { $0.rule = rule }
        let divergence = try #require(packed.recorded("kl"))
        #expect(packed.trials.last?.divergence == divergence)
        // The file's factors are those that were measured.
        let measured = try #require(pair.evaluate(packed.file).measure("kl"))
        #expect(abs(measured - divergence) <= 1e-9 * divergence)
        #expect(divergence <= (try plain(options)) * (1 + 1e-9))
        #expect(packed.report.packing.contains { $0.name == "rule" && $0.value == rule.rawValue })
    }

    @Test("every rule gives factors that a file can hold", arguments: CalibrationOptions.Rule.allCases)
    func rules(rule: CalibrationOptions.Rule) throws {
        let packed = try pair.pack(dare { $0.drop = 0.8 }) { $0.rule = rule }
        let measured = try #require(pair.evaluate(packed.file).measure("kl"))
        let recorded = try #require(packed.recorded("kl"))
        #expect(recorded.isFinite && abs(measured - recorded) <= 1e-9 * recorded)
    }

    @Test("a q by label is no worse by the metric than 1 - p")
    func labelled() throws {
        let options = dare()
        func accuracy(_ rule: CalibrationOptions.Rule?) throws -> Double {
            let packed = try pair.pack(options) { ($0.rule, $0.validation) = (rule, pair.others) }
            return try #require(packed.recorded("accuracy"))
        }
        #expect(try accuracy(.labelled) >= accuracy(nil))
    }

    @Test("of several masks the one with the least divergence is taken")
    func seeds() throws {
        let packed = try pair.pack(dare()) { $0.seeds = 3 }
        let masks = packed.trials.prefix(3)
        #expect(Set(masks.map(\.choice)).count == 3 && Set(masks.compactMap(\.divergence)).count == 3)
        #expect(packed.recorded("kl") == masks.compactMap(\.divergence).min())
        let each = try (0..<3).map { seed in try plain(dare { $0.seed = seed }) }
        #expect(masks.map(\.divergence) == each)
    }

    @Test(
        "biases that take in what is missing on average bring the answers nearer",
        arguments: [LossyOptions.Method.magnitude, .lowrank])
    func biases(method: LossyOptions.Method) throws {
        let options = dare { ($0.method, $0.vectors) = (method, .f16) }
        let packed = try pair.pack(options) { $0.correctsBias = true }
        #expect(packed.report.packing.contains { $0.name == "biases" && $0.value == "corrected" })
        #expect(try #require(packed.recorded("kl")) < plain(options))
    }

    @Test("data without labels choose by divergence, and refuse what needs labels")
    func unlabelled() throws {
        let data = pair.unlabelled
        let packed = try pair.pack(dare()) { ($0.rule, $0.calibration) = (.kl, data) }
        #expect(packed.report.evaluations.map(\.metric) == ["kl"])
        for change: (inout CalibrationOptions) -> Void in [
            { $0.rule = .labelled }, { $0.validation = data }, { ($0.rule, $0.validation) = (.labelled, data) },
        ] {
            let error = #expect(throws: SiltError.self) {
                try pair.pack(dare()) {
                    $0.calibration = data
                    change(&$0)
                }
            }
            #expect(error?.code == .usage && error?.file == data)
        }
    }
}
