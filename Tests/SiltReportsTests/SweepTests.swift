import SiltPacking
import SiltTuning
@testable import SiltReports
import Testing

@Suite("Sweeps")
struct SweepTests {
    private func row(_ bytes: Double, _ metric: Double, _ divergence: Double = 1) -> SweepReport.Row {
        SweepReport.Row(
            method: "m", choice: PackingChoice(LossyOptions()), bytes: .init([bytes]), metric: .init([metric]),
            divergence: .init([divergence]))
    }

    private func report(_ rows: [SweepReport.Row], higherIsBetter: Bool = true) -> SweepReport {
        SweepReport(
            metric: "x", higherIsBetter: higherIsBetter, examples: 1, data: "d", base: "b", fineTuned: "f",
            baseMetric: nil, fineTunedMetric: 1, fineTunedBytes: 100, exactBytes: nil, parameters: 10, seeds: 1,
            seconds: 0, rows: rows)
    }

    @Test("The front is what nothing else dominates")
    func front() {
        let rows = [
            row(10, 0.5), row(20, 0.4), row(20, 0.7), row(20, 0.7), row(15, 0.5), row(30, 0.69), row(40, 0.9),
            row(5, .nan),
        ]
        #expect(report(rows).rows.map(\.isOnFront) == [true, false, true, true, false, false, true, false])
        #expect(
            report(rows, higherIsBetter: false).rows.map(\.isOnFront)
                == [true, true, false, false, false, false, false, false])
    }

    @Test("The front of the divergence is another")
    func divergence() {
        let rows = [row(10, 0.9, 3), row(20, 0.8, 1), row(30, 0.7, 2)]
        #expect(report(rows).rows.map(\.isOnFront) == [true, false, false])
        #expect(report(rows).rows.map(\.isOnDivergenceFront) == [true, true, false])
    }

    @Test("A spread is mean, deviation of the sample, least and largest")
    func spread() {
        let spread = SweepReport.Spread([1, 2, 3, 6])
        #expect(spread.mean == 3 && spread.least == 1 && spread.largest == 6 && spread.count == 4)
        #expect(abs(spread.deviation * spread.deviation - 14.0 / 3) < 1e-12)
        #expect(SweepReport.Spread([5]).deviation == 0 && SweepReport.Spread([]).count == 0)
    }

    @Test("The page names the smallest file that is good enough, and every row")
    func page() {
        let sweep = Pages.sweep()
        let page = Pages.page(sweep)
        // 0.909 is 98.9 % of the gain, 0.912 is 99.7 %.
        #expect(
            page.contains(
                "<h1>96.0 KB, 112 × smaller, keep 99 % of what fine-tuning gained in accuracy: transform</h1>"))
        for row in sweep.rows {
            let spans = Pages.words(row.choice).replacing(" --", with: "</span>\n<span>--")
            #expect(page.contains("<code class=\"options\"><span>\(spans)</span></code>"))
        }
        #expect(page.components(of: "<tr class=\"front\">") == sweep.rows.filter(\.isOnFront).count)
        #expect(page.components(of: "class=\"front\" d=") == 4)
        #expect(page == Pages.page(sweep))
    }

    @Test("A sweep of nothing, and one of bad numbers, are pages too")
    func empty() {
        #expect(Pages.page(report([])).contains("Nothing was packed"))
        let page = Pages.page(report([row(0, .nan, .infinity), row(1, 0.5, 0), row(.infinity, 1, -1)]))
        #expect(!page.contains("nan") && !page.contains("inf\""))
    }
}

extension String {
    /// How often `part` is in it.
    func components(of part: String) -> Int {
        var (count, rest) = (0, self[...])
        while let found = rest.firstRange(of: part) {
            count += 1
            rest = rest[found.upperBound...]
        }
        return count
    }
}
