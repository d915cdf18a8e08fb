@testable import SiltReports
import SiltPacking
import SiltTuning
import Workers
import Logging
import TestSupport

/// Reports for tests: a real file's, and an invented sweep.
enum Pages {
    static let context = WorkContext(threads: 2, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })

    /// Packs the committed pair with DARE, and reports on the file.
    static func packed(_ directory: TemporaryDirectory, _ options: LossyOptions? = LossyOptions()) throws -> String {
        var pack = PackOptions()
        pack.lossy = options
        let file = directory("out.silt")
        _ = try Packer(context, pack).pack(base: base, fineTuned: fineTuned, to: file)
        return file
    }

    static var base: String { Repository.path("Tests/Data/small-base") }
    static var fineTuned: String { Repository.path("Tests/Data/small-foods") }

    /// The page of `sweep`, and what it calls a way of packing.
    static func page(_ report: SweepReport) -> String { SweepPage.html(report, options: words) }

    static func words(_ choice: PackingChoice) -> String {
        "--method \(choice.lossy.method.rawValue) --drop \(choice.lossy.drop)"
    }

    /// Six methods; those that have seeds scatter.
    static func sweep() -> SweepReport {
        func spread(_ mean: Double, _ half: Double) -> SweepReport.Spread { .init([mean - half, mean, mean + half]) }
        func row(
            _ method: String, _ bytes: Double, _ metric: Double, _ divergence: Double, scatter: Double = 0,
            q: Double? = nil, _ change: (inout LossyOptions) -> Void
        ) -> SweepReport.Row {
            var options = LossyOptions()
            change(&options)
            return SweepReport.Row(
                method: method, choice: PackingChoice(options),
                bytes: spread(bytes, scatter * bytes / 200),
                metric: spread(metric, scatter * 0.008), divergence: spread(divergence, scatter * divergence / 4),
                rescale: q.map { spread($0, scatter * $0 / 20) })
        }
        var rows: [SweepReport.Row] = []
        for (drop, bytes, metric, divergence) in [
            (0.9, 412_000.0, 0.905, 0.021), (0.95, 231_000, 0.897, 0.043), (0.98, 118_000, 0.871, 0.091),
            (0.99, 78_000, 0.824, 0.19), (0.995, 55_000, 0.701, 0.52),
        ] {
            rows.append(row("DARE", bytes, metric, divergence, scatter: 1, q: 1 - drop) { $0.drop = drop })
            rows.append(
                row(
                    "DAREx-q kl", bytes, metric + 0.6 * (0.913 - metric), divergence / 2.4, scatter: 1,
                    q: (1 - drop) * 1.8
                ) {
                    $0.drop = drop
                    $0.rescale = .value(((1 - drop) * 1_800).rounded() / 1_000)
                })
        }
        for (quality, bytes, metric, divergence) in [
            (0.5, 190_000.0, 0.9125, 0.0006), (1, 96_000, 0.912, 0.0024), (2, 52_000, 0.909, 0.0071),
            (4, 34_800, 0.902, 0.018), (8, 27_100, 0.873, 0.064),
        ] {
            rows.append(
                row("transform", bytes, metric, divergence) { ($0.method, $0.quality) = (.transform, quality) })
        }
        for (rank, bytes, metric, divergence) in [
            (1, 47_000.0, 0.842, 0.13), (4, 101_000, 0.894, 0.034), (16, 318_000, 0.911, 0.0051),
        ] {
            rows.append(row("lowrank", bytes, metric, divergence) { ($0.method, $0.rank) = (.lowrank, rank) })
        }
        for (drop, bytes, metric, divergence) in [(0.95, 402_000.0, 0.851, 0.11), (0.99, 131_000, 0.688, 0.56)] {
            rows.append(row("magnitude", bytes, metric, divergence) { ($0.method, $0.drop) = (.magnitude, drop) })
        }
        rows.append(row("BitDelta", 690_000, 0.899, 0.037) { $0.method = .sign })
        return SweepReport(
            metric: "accuracy", higherIsBetter: true, examples: 750, data: "foods-small", base: "small-base",
            fineTuned: "small-foods", baseMetric: 0.512, fineTunedMetric: 0.9133, fineTunedBytes: 10_738_121,
            exactBytes: 2_913_004, parameters: 5_320_000, seeds: 3, seconds: 412, rows: rows)
    }
}
