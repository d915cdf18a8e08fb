@testable import SiltTuning
import SiltEvaluation
import SiltFormat
import SiltPacking
import SiltReading
import TensorTypes
import Testing

@Suite("Plans")
struct PlannerTests {
    private let pair: TinyPair

    init() throws { pair = try TinyPair() }

    private func plan(_ pipeline: PipelineOptions? = nil) throws -> PlanReport {
        var planner = Planner(pair.context())
        planner.drops = [0.9]
        return try planner.plan(base: pair.base, fineTuned: pair.fineTuned, pipeline: pipeline)
    }

    @Test("give the sizes and errors of the files that packing writes")
    func files() throws {
        let report = try plan()
        let ways = Planner.methods([0.9])
        #expect(report.candidates.map(\.choice) == [nil] + ways.map { PackingChoice($0) } && !report.isSampled)
        #expect(report.candidates[0].bytes == (try pair.pack(nil)).bytes && report.candidates[0].relativeL2 == 0)
        for (candidate, options) in zip(report.candidates.dropFirst(), ways) {
            let packed = try pair.pack(options)
            // Small as these files are, an entry's length in the manifest counts: 3 %.
            #expect(abs(candidate.bytes - packed.bytes) <= 3 * packed.bytes / 100, "\(options.words)")
            #expect(candidate.bitsPerParameter == 8 * Double(candidate.bytes) / Double(report.parameters))
            #expect(candidate.relativeL2 > 0 && candidate.relativeL2.isFinite && candidate.contract == .lossy)
        }
    }

    @Test("try options that are good, each once")
    func options() throws {
        let ways = Planner.methods([0.5, 0.9])
        for options in ways { try options.check() }
        #expect(Set(ways).count == ways.count && ways.count == 14)
    }

    @Test("group tensors that differ by their number, the largest first")
    func groups() throws {
        let report = try plan()
        let names = report.groups.map(\.name)
        #expect(names.contains("bert.encoder.layer.*.attention.self.query.weight") && Set(names).count == names.count)
        #expect(report.groups.map(\.parameters) == report.groups.map(\.parameters).sorted(by: >))
        #expect(report.groups.reduce(0) { $0 + $1.parameters } == report.parameters)
        #expect(report.groups.first { $0.name.contains("LayerNorm.weight") }?.tensors == 1)
        #expect(Planner.groupName("a.1.b.23.4c..5") == "a.*.b.*.4c..*")
    }

    @Test("without a change there is nothing to store")
    func still() throws {
        let report = try Planner(pair.context()).plan(base: pair.base, fineTuned: pair.base)
        #expect(report.lossyParameters == 0 && report.candidates.count == 1)
        #expect(report.advice == [.nothingChanged])
    }

    // MARK: - Advice

    private func group(deviation: Double = 0.001, unchanged: Double = 0) -> PlanReport.Group {
        .init(
            name: "w", tensors: 1, parameters: 100, mean: 0, deviation: deviation, largest: 1, unchanged: unchanged,
            kurtosis: 0)
    }

    private func choice(_ method: LossyOptions.Method) -> PackingChoice {
        var options = LossyOptions()
        options.method = method
        return PackingChoice(options)
    }

    private func advice(
        _ lossy: [(LossyOptions.Method, Int, Double)], exact: Int = 1_000, _ groups: [PlanReport.Group]? = nil
    ) -> [PlanAdvice] {
        let candidates = [(nil, exact, 0)] + lossy.map { (choice($0.0), $0.1, $0.2) }
        return PlanAdvice.all(
            candidates.map { .init(choice: $0.0, bytes: $0.1, bitsPerParameter: 1, relativeL2: $0.2) },
            groups ?? [group()], fineTunedBytes: 4_000)
    }

    @Test("an approximation is worth it from 30 % on, and then the nearest is named")
    func recommendation() {
        let both = advice([(.sign, 100, 0.9), (.dense, 500, 0.1), (.random, 700, 0.01)])
        #expect(both == [.exact(ratio: 4), .approximate(choice(.dense), ratio: 8), .measureTask])
        #expect(advice([(.dense, 750, 0.1)]) == [.lossyGainsLittle(share: 0.25), .measureTask])
        #expect(advice([(.dense, 1_000, 0.1)]) == [.exactIsSmallest])
        #expect(advice([(.sign, 10, 0.9), (.dense, 1_000, 0.1)]).contains(.pointless([choice(.dense)])))
    }

    @Test("large deltas are warned of, where they are more than a quarter")
    func large() {
        func warned(_ groups: [PlanReport.Group]) -> Double? {
            for case .largeDeltas(_, let share) in advice([(.sign, 100, 0.9)], groups) { return share }
            return nil
        }
        let (large, small) = (group(deviation: 0.003), group())
        #expect(warned([small]) == nil && warned([large]) == 1)
        #expect(warned([large, small, small, small]) == nil && warned([large, small]) == 0.5)
        // What did not change does not count.
        #expect(warned([large, group(unchanged: 1), group(unchanged: 1)]) == 1)
        #expect(advice([(.sign, 100, 0.9)], [group(unchanged: 1)]) == [.nothingChanged])
        #expect(advice([(.sign, 100, 0.9)], []) == [.nothingCompares])
    }

    // MARK: - The paper's pipeline

    private func pipeline(_ change: (inout PipelineOptions) -> Void = { _ in }) throws -> PipelineReport {
        var options = PipelineOptions(calibration: pair.data)
        change(&options)
        return try PipelineWalker(base: pair.base, fineTuned: pair.fineTuned, options, pair.context()).walk()
    }

    @Test("a walk measures every way of its branch, and recommends the nearest that is no larger")
    func walk() throws {
        let report = try pipeline()
        #expect(report.metric == "accuracy" && report.examples == 24 && report.ways[0].name == "exact")
        #expect(report.steps.prefix(3).map(\.node) == [.training, .adapter, .delta])
        let isLarge = report.steps[2].answer == "yes"
        #expect(
            report.steps.dropFirst(3).map(\.node)
                == (isLarge ? [.importance, .hardware] : [.labels, .architecture, .hardware]))
        #expect(report.ways.contains(report.choice))
        for way in report.ways.dropFirst() where way.bytes <= report.choice.bytes {
            let nearest = min(report.choice.divergence, report.alternative?.divergence ?? .infinity)
            #expect(way.divergence >= nearest, "\(way.name)")
        }
        switch report.recommended {
        case .exact: #expect(report.ways[0].bytes <= report.choice.bytes)
        case .choice: #expect(report.choice.divergence <= report.alternative?.divergence ?? .infinity)
        case .alternative: #expect(try #require(report.alternative).divergence < report.choice.divergence)
        }
        // A way is what packing like that gives.
        let way = try #require(report.ways.first { $0.choice?.lossy.method == .transform })
        let options = try #require(way.choice).lossy
        let packed = try pair.pack(options) { _ in }
        #expect(TinyPair.isNear(way.bytes, packed.report.bytes))
        #expect(abs(try #require(packed.recorded("kl")) - way.divergence) <= 1e-9 * way.divergence)
    }

    @Test("a walk without labels asks none, and one for a model that can be trained says so")
    func unlabelled() throws {
        let report = try pipeline {
            ($0.calibration, $0.isTrainable) = (pair.unlabelled, true)
        }
        #expect(report.metric == nil && report.fineTunedMetric == nil && report.ways.allSatisfy { $0.metric == nil })
        #expect(report.steps[0].answer == "yes" && report.advice[0] == .train)
        #expect(!report.ways.contains { $0.choice?.rule == .labelled })
    }

    @Test("a walk of what did not change ends with the exact delta")
    func unchanged() throws {
        let report = try PipelineWalker(
            base: pair.base, fineTuned: pair.base, PipelineOptions(calibration: pair.data), pair.context()
        ).walk()
        #expect(report.recommended == .exact && report.ways.count == 1 && report.alternative == nil)
        #expect(report.steps.last?.answer == "nothing changed" && report.best.choice == nil)
    }

    @Test("a plan with data takes its advice from the walk")
    func planned() throws {
        let report = try plan(PipelineOptions(calibration: pair.data))
        #expect(report.pipeline != nil && report.advice == report.pipeline?.advice)
        let error = #expect(throws: SiltError.self) {
            try plan(
                {
                    var options = PipelineOptions(calibration: pair.data)
                    options.examples = 0
                    return options
                }())
        }
        #expect(error?.code == .usage)
    }
}
