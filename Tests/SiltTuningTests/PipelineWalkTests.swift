@testable import SiltEvaluation
import SiltPacking
@testable import SiltTuning
import Testing

@Suite("The paper's pipeline as a decision")
struct PipelineWalkTests {
    private func test(
        plain: Double, without: Double,
        metric: (fineTuned: Double, plain: Double, without: Double, error: Double)? = nil,
        _ kind: TaskMetric = .accuracy
    ) -> DeltaTest {
        DeltaTest(
            plain: plain, without: without,
            metric: metric.map {
                DeltaTest.Metric(
                    metric: kind, fineTuned: $0.fineTuned, plain: $0.plain, without: $0.without,
                    uncertainty: $0.error)
            })
    }

    private func walk(_ test: DeltaTest?, labels: Bool = false, isDecoder: Bool = false) -> PipelineWalk {
        var walk = PipelineWalk()
        walk.test = test
        walk.isDecoder = isDecoder
        walk.labels = labels ? ("accuracy", 8, true) : nil
        return walk
    }

    @Test("a delta is large from a tenth of its effect on")
    func largeByDivergence() {
        #expect(!test(plain: 0.0999, without: 1).isLarge)
        #expect(test(plain: 0.1001, without: 1).isLarge)
        // Rounding is no loss, however little the delta does.
        #expect(!test(plain: 9e-7, without: 1e-6).isLarge)
        #expect(test(plain: .infinity, without: 1).isLarge)
    }

    @Test("a metric counts by what is lost beyond a standard error")
    func largeByMetric() {
        #expect(test(plain: 0.01, without: 1, metric: (0.9, 0.8, 0.5, 0.05)).isLarge)
        #expect(!test(plain: 0.01, without: 1, metric: (0.9, 0.8, 0.5, 0.07)).isLarge)
        #expect(!test(plain: 0.01, without: 1, metric: (0.9, 0.95, 0.5, 0)).isLarge)
        // One example of few may change by luck: the fine-tuned model expects no such loss.
        var unexpected = DeltaTest.Metric(metric: .accuracy, fineTuned: 0.9, plain: 0.8, without: 0.5, uncertainty: 0)
        for (expected, isLarge) in [(0.01, false), (0.05, true)] {
            unexpected.expected = expected
            #expect(DeltaTest(plain: 0.01, without: 1, metric: unexpected).isLarge == isLarge)
        }
        // Who gained nothing has nothing to lose.
        #expect(!test(plain: 0.01, without: 1, metric: (0.5, 0.4, 0.5, 0)).isLarge)
        // Of a loss, less is better.
        #expect(test(plain: 0.01, without: 1, metric: (2, 2.3, 4, 0), .loss).isLarge)
        #expect(!test(plain: 0.01, without: 1, metric: (2, 1.8, 4, 0), .loss).isLarge)
    }

    @Test("branches")
    func branches() {
        let (small, large) = (test(plain: 0.01, without: 1), test(plain: 0.5, without: 1))
        #expect(walk(nil).branch == .exact)
        #expect(walk(small).branch == .unlabelled)
        #expect(walk(small, labels: true).branch == .labelled)
        var importance = walk(large, labels: true)
        importance.outcomes = [
            .wanda: .init(divergence: 0.2, metric: nil), .magnitude: .init(divergence: 0.1, metric: nil),
        ]
        #expect(importance.branch == .magnitude)
        importance.outcomes[.magnitude] = .init(divergence: 0.2, metric: nil)
        #expect(importance.branch == .wanda)
        #expect((walk(small).drop, walk(large).drop) == (0.99, 0.9))
        #expect(walk(small).way == .perTensor)
        #expect(walk(small, isDecoder: true).way == .unlabelled)
        #expect(walk(small, labels: true, isDecoder: true).way == .labelled)
        #expect(walk(nil).way == nil)
    }

    @Test("every node leads to the next one")
    func chain() {
        for test in [nil, test(plain: 0.01, without: 1), test(plain: 0.5, without: 1)] {
            for (isTrainable, isDecoder) in [(false, false), (true, true)] {
                var walk = walk(test, labels: isDecoder, isDecoder: isDecoder)
                walk.isTrainable = isTrainable
                let steps = walk.steps
                for (step, next) in zip(steps, steps.dropFirst()) where next.node != .hardware {
                    #expect(step.leadsTo.contains(next.node.rawValue), "\(step.node) to \(next.node)")
                }
                #expect(Set(steps.map(\.node)).count == steps.count)
                #expect(steps[0].answer == (isTrainable ? "yes" : "no"))
            }
        }
    }

    private func way(
        _ name: String, _ bytes: Int, _ divergence: Double, _ metric: Double? = nil,
        rule: CalibrationOptions.Rule? = nil
    ) -> PipelineReport.Way {
        .init(
            name: name, choice: name == "exact" ? nil : PackingChoice(LossyOptions(), rule: rule), bytes: bytes,
            divergence: divergence, metric: metric)
    }

    private func advice(_ choice: Double, _ alternative: Double?, exact: Int = 1_000) -> PipelineAdvice {
        PipelineAdvice(
            isTrainable: false, choice: way("random", 100, choice, rule: .kl),
            alternative: alternative.map { way("transform", 90, $0) }, exact: way("exact", exact, 0), metric: nil,
            without: 1)
    }

    @Test("the nearest in no more bytes is recommended")
    func recommendation() {
        #expect(advice(0.2, 0.1).recommended == .alternative)
        #expect(advice(0.1, 0.2).recommended == .choice)
        #expect(advice(0.1, 0.1).recommended == .choice)
        #expect(advice(0.1, nil).recommended == .choice)
        #expect(advice(0.2, 0.1, exact: 100).recommended == .exact)
        #expect(advice(0.9, 0.6).all.contains(.givesUp(share: 0.6)))
        #expect(advice(0.9, 0.5).all.count == 1)
        // Only what was tuned on these data is warned of.
        #expect(advice(0.1, nil).all.contains(.measureElsewhere))
        #expect(!advice(0.2, 0.1).all.contains(.measureElsewhere))
    }

    @Test("a metric that says otherwise is named")
    func otherwise() {
        func all(_ choice: Double, _ alternative: Double) -> [PlanAdvice] {
            PipelineAdvice(
                isTrainable: false, choice: way("random", 100, 0.2, choice, rule: .kl),
                alternative: way("transform", 90, 0.1, alternative), exact: way("exact", 1_000, 0), metric: .accuracy,
                without: 1
            ).all
        }
        #expect(all(0.8, 0.7).contains(.metricDisagrees("accuracy")))
        #expect(!all(0.7, 0.8).contains(.metricDisagrees("accuracy")))
        #expect(
            all(0.7, 0.8)[0]
                == .alternative(way("transform", 90, 0.1, 0.8), over: way("random", 100, 0.2, 0.7, rule: .kl)))
    }

    @Test("numbers in sentences")
    func figures() {
        #expect(Figure.short(0.0042719) == "0.004272")
        #expect(Figure.short(-0.0042719) == "-0.004272")
        #expect(Figure.percent(0.0172, of: 1) == "1.7")
        #expect(Figure.percent(1, of: 10) == "10")
        #expect(Figure.percent(1, of: 0) == "?")
        #expect(Figure.percent(.infinity, of: 1) == "?")
    }
}
