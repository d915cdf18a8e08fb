import SiltEvaluation
import SiltFormat
import SiltPacking
import SiltReading
import SiltTuning
import TensorTypes
import TestSupport
import Testing

@Suite("The search for the smallest file that keeps to a goal")
struct SearchTests {
    private let pair: TinyPair

    init() throws { pair = try TinyPair() }

    /// The divergence of the base from the fine-tuned model: what there is to lose.
    private func effect() throws -> Double {
        var options = LossyOptions()
        (options.method, options.values, options.drop) = (.random, .int2, 0.999)
        (options.vectors, options.embeddings, options.heads) = (.drop, .drop, .method)
        return try #require(pair.pack(options) { _ in }.recorded("kl"))
    }

    @Test("keeps a bound on divergence, and tries nothing smaller that keeps it too, with any number of threads")
    func divergence() throws {
        let bound = 0.1 * (try effect())
        let packed = try pair.pack(threads: 1) { $0.goal = .divergenceWithin(bound) }
        #expect(packed.report.contract == .lossy && packed.trials.count > 10)
        #expect(packed.report.bytes < (try pair.pack(nil)).bytes)
        // What the file says, what the file does, and what was measured in memory are one.
        let recorded = try #require(packed.recorded("kl"))
        let measured = try #require(pair.evaluate(packed.file).measure("kl"))
        #expect(recorded <= bound && abs(measured - recorded) <= 1e-9 * recorded)
        for trial in packed.trials {
            let divergence = try #require(trial.divergence)
            #expect(trial.passes == (divergence <= bound), "\(trial.choice.words)")
        }
        let smallest = try #require(packed.trials.filter(\.passes).map(\.bytes).min())
        #expect(TinyPair.isNear(smallest, packed.report.bytes))
        _ = try pair.pack(to: "three.silt", threads: 3) { $0.goal = .divergenceWithin(bound) }
        let isSame = pair.directory.read("three.silt") == pair.directory.read("out.silt")
        #expect(isSame)
        // A looser bound is worth something.
        let looser = try pair.pack { $0.goal = .divergenceWithin(5 * bound) }
        #expect(looser.report.bytes < packed.report.bytes)
    }

    @Test("falls back on the exact file where nothing smaller keeps to the goal")
    func exact() throws {
        let exact = try pair.pack(nil).bytes
        let packed = try pair.pack { $0.goal = .divergenceWithin(1e-15) }
        #expect(packed.report.contract == .exact && packed.report.bytes == exact)
        #expect(!packed.trials.contains { $0.passes && $0.bytes < exact })
        let tiny = try pair.pack { $0.goal = .sizeAtMost(100) }
        #expect(tiny.report.contract == .exact && tiny.trials.isEmpty)
    }

    @Test("keeps to a size, and is the nearest of all that were tried")
    func size() throws {
        let exact = try pair.pack(nil).bytes
        let limit = exact / 3
        let packed = try pair.pack { $0.goal = .sizeAtMost(limit) }
        #expect(packed.report.contract == .lossy && packed.report.bytes <= limit)
        #expect(!packed.trials.isEmpty && packed.trials.allSatisfy { $0.passes == ($0.bytes <= limit) })
        let recorded = try #require(packed.recorded("kl"))
        let least = try #require(packed.trials.filter(\.passes).compactMap(\.divergence).min())
        // A divergence that is expected on other data may be more than what is measured on these.
        #expect(recorded <= least * (1 + 1e-9))
    }

    @Test("keeps a bound on the metric of other data")
    func metric() throws {
        let packed = try pair.pack { ($0.goal, $0.validation) = (.metricWithin(0.1), pair.others) }
        let fineTuned = try #require(packed.report.evaluations.first { $0.metric == "accuracy" })
        #expect(packed.report.contract == .lossy && fineTuned.use == .validation)
        let measured = try #require(pair.evaluate(packed.file, on: pair.others).value)
        #expect(measured == fineTuned.rebuilt && fineTuned.fineTuned - measured <= 0.1 + 1e-12)
        for trial in packed.trials where trial.passes {
            #expect(fineTuned.fineTuned - (try #require(trial.metric)) <= 0.1 + 1e-12)
        }
        let smallest = try #require(packed.trials.filter(\.passes).map(\.bytes).min())
        #expect(TinyPair.isNear(smallest, packed.report.bytes))
    }
}
