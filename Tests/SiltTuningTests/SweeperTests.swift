@testable import SiltTuning
import SiltEvaluation
import SiltPacking
import SiltReading
import TensorTypes
import Testing

@Suite("Sweeps")
struct SweeperTests {
    private let pair: TinyPair

    init() throws { pair = try TinyPair() }

    private func sweep(_ change: (inout SweepOptions) -> Void = { _ in }) throws -> SweepReport {
        var options = SweepOptions(validation: pair.data)
        (options.rows, options.seeds, options.drops) = (.quick, 2, [0, 0.9])
        change(&options)
        return try Sweeper(pair.context(), options).sweep(base: pair.base, fineTuned: pair.fineTuned)
    }

    @Test("measure every quick row, and mark those that no other beats")
    func quick() throws {
        let report = try sweep()
        #expect(report.exactBytes == (try pair.pack(nil)).bytes && report.examples == 24)
        #expect(report.metric == "accuracy" && report.higherIsBetter && report.baseMetric != nil)
        // Rank 16 is more than too many values have. Of methods with a drop rate, p = 0 is random drop's alone.
        let counts = Dictionary(grouping: report.rows, by: \.method).mapValues(\.count)
        #expect(counts["DARE"] == 2 && counts["DAREx-q kl"] == 1 && counts["magnitude, fitted"] == 1)
        #expect(counts["sign (as published)"] == 1 && counts["low rank"] == 4 && counts["transform"] == 5)
        #expect(counts["transform, curvature"] == 2 && report.rows.count == 16)
        for row in report.rows {
            // A mask of its own for each seed, where there is one to choose.
            let isRandom = row.method.hasPrefix("DARE") && row.drop != 0
            #expect(row.bytes.count == (isRandom ? 2 : 1), "\(row.method)")
            func dominates(_ loss: (SweepReport.Row) -> Double) -> Bool {
                report.rows.contains { other in
                    let (less, better) = (other.bytes.mean <= row.bytes.mean, loss(other) <= loss(row))
                    return less && better && (other.bytes.mean < row.bytes.mean || loss(other) < loss(row))
                }
            }
            #expect(row.isOnFront == !dominates { -$0.metric.mean }, "\(row.choice.words)")
            #expect(row.isOnDivergenceFront == !dominates { $0.divergence.mean }, "\(row.choice.words)")
        }
        #expect(report.rows.contains(where: \.isOnFront) && report.rows.contains { !$0.isOnDivergenceFront })
    }

    @Test("find no q that is worse than 1 - p, and name it")
    func factors() throws {
        let report = try sweep { ($0.methods, $0.seeds) = ("^DARE", 1) }
        func row(_ method: String, _ drop: Double) throws -> SweepReport.Row {
            try #require(report.rows.first { $0.method == method && $0.drop == drop })
        }
        for drop in [0.9] {
            let (plain, found) = try (row("DARE", drop), row("DAREx-q kl", drop))
            #expect(found.divergence.mean <= plain.divergence.mean * (1 + 1e-9))
            #expect(abs(try #require(plain.rescale).mean - (1 - drop)) < 1e-9 && found.rescale != nil)
        }
        #expect(try row("DARE", 0).rescale == nil)
    }

    @Test("give each row the size of its file, and the divergence")
    func files() throws {
        let report = try sweep { $0.methods = "^(sign|low rank)" }
        for row in report.rows {
            let packed = try pair.pack(row.choice.lossy) { _ in }
            #expect(TinyPair.isNear(Int(row.bytes.mean), packed.report.bytes), "\(row.choice.words)")
            let recorded = try #require(packed.recorded("kl"))
            #expect(abs(recorded - row.divergence.mean) <= 1e-9 * recorded)
        }
    }

    @Test("measure on test data, where there are some")
    func test() throws {
        let (own, other) = try (
            sweep { $0.methods = "^sign" }, sweep { ($0.methods, $0.test) = ("^sign", pair.others) }
        )
        #expect(own.data == "data.safetensors" && other.data == "others.safetensors")
        #expect(own.rows[0].divergence.mean != other.rows[0].divergence.mean)
    }

    @Test("refuse numbers that make no sense, and methods that do not exist")
    func refusals() {
        for change: (inout SweepOptions) -> Void in [
            { $0.seeds = 0 }, { $0.seeds = 1_001 }, { $0.examples = 0 }, { $0.drops = [1] }, { $0.drops = [-0.1] },
            { $0.methods = "no such method" }, { $0.methods = "(" },
            { $0.validation = pair.unlabelled },
        ] {
            let error = #expect(throws: SiltError.self) { try sweep(change) }
            #expect(error?.code == .usage)
        }
    }
}
