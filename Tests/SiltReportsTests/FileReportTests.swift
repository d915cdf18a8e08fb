import SiltFormat
@testable import SiltEvaluation
@testable import SiltPacking
@testable import SiltReading
@testable import SiltReports
import Workers
import Foundation
import TensorTypes
import TestSupport
import Testing

@Suite("Reports of files")
struct FileReportTests {
    @Test("One pass gives sizes, factors, errors and histograms; threads do not matter")
    func report() throws {
        let directory = try TemporaryDirectory()
        var options = LossyOptions()
        options.drop = 0.95
        let file = try Pages.packed(directory, options)
        let report = try FileReporter(Pages.context).report(base: Pages.base, file: file, against: Pages.fineTuned)
        #expect(report.isAsPromised && report.contract == .lossy && report.differences.isEmpty)
        let lossy = report.layers.filter(\.isLossy)
        #expect(lossy.count == 13)
        for layer in lossy {
            #expect(layer.factors == FileReport.Factors([0.05]))
            #expect(abs((layer.keep ?? 0) - 0.05) < 1e-9)
            let (rebuilt, fineTuned) = try (#require(layer.rebuiltDelta), #require(layer.fineTunedDelta))
            #expect(rebuilt.elements == layer.tensor.info.parameters && fineTuned.elements == rebuilt.elements)
            // A twentieth is kept.
            #expect(abs(Double(rebuilt.nonZeros) / Double(rebuilt.elements) - 0.05) < 0.02)
            #expect(fineTuned.nonZeros > 10 * rebuilt.nonZeros)
            #expect(layer.receipt == layer.recordedReceipt)
        }
        let exact = report.layers.filter { !$0.isLossy && $0.rebuiltDelta != nil }
        #expect(!exact.isEmpty && exact.allSatisfy { $0.rebuiltDelta == $0.fineTunedDelta })
        let layerBytes = report.layers.reduce(0) { $0 + $1.tensor.bytes }
        #expect(
            layerBytes + report.tableBytes + report.otherFileBytes + report.inspection.overheadBytes
                == report.fileBytes)
        var context = Pages.context
        context.threads = 5
        let again = try FileReporter(context).report(base: Pages.base, file: file, against: Pages.fineTuned)
        #expect(VerifyPage.html(report) == VerifyPage.html(again))
        // Left for those who want to look at a page: SILT_KEEP_PAGES names a directory.
        if let keep = ProcessInfo.processInfo.environment["SILT_KEEP_PAGES"] {
            var shown = report
            shown.metrics = metrics
            for (name, page) in [("verify", VerifyPage.html(shown)), ("sweep", Pages.page(Pages.sweep()))] {
                try page.write(toFile: "\(keep)/\(name).html", atomically: true, encoding: .utf8)
            }
        }
    }

    private var metrics: [TaskCheck.Metric] {
        [
            .init(
                name: "accuracy", use: "test", data: "foods-small", examples: 750, base: 0.512, fineTuned: 0.9133,
                rebuilt: 0.897, recorded: 0.897, isAsRecorded: true),
            .init(
                name: "loss", use: "test", data: "foods-small", examples: 750, base: 2.1, fineTuned: 0.31,
                rebuilt: 0.41, recorded: 0.36, isAsRecorded: false, higherIsBetter: false),
        ]
    }

    @Test("A metric that is not as recorded is a broken promise, in words and by a sign")
    func metric() throws {
        let directory = try TemporaryDirectory()
        let file = try Pages.packed(directory, nil)
        var report = try FileReporter(Pages.context).report(base: Pages.base, file: file, against: nil)
        #expect(report.isAsPromised && report.layers.allSatisfy { $0.fineTunedDelta == nil })
        #expect(!VerifyPage.html(report).contains("✗"))
        report.metrics = metrics
        #expect(!report.isAsPromised)
        let page = VerifyPage.html(report)
        #expect(page.contains("95.9 % of what fine-tuning gained in accuracy is kept: 0.8970 against 0.9133"))
        #expect(page.contains("✗</span> Not as recorded: the file’s receipt says 0.3600, measured is 0.4100"))
    }

    @Test("A wrong base is in the report, not an error")
    func wrongBase() throws {
        let directory = try TemporaryDirectory()
        let file = try Pages.packed(directory)
        let report = try FileReporter(Pages.context).report(base: Pages.fineTuned, file: file, against: nil)
        #expect(!report.isAsPromised && report.differences.contains { $0.kind == .error(.baseContent) })
        #expect(VerifyPage.html(report).contains("base-content"))
    }

    @Test(
        "Groups are what a name says before its details",
        arguments: [
            ("encoder.layer.3.attention.self.query.weight", "encoder.layer.N.attention"),
            ("model.layers.11.mlp.experts.7.up.weight", "model.layers.N.mlp"), ("layers.0.weight", "layers.N"),
            ("h.0", "h.N"), ("0", "N"), ("embeddings.word.weight", "embeddings.word"), ("lm_head.weight", "lm_head"),
            ("weight", "weight"), ("", ""), ("..1..", "..N."),
        ])
    func groups(_ name: String, _ group: String) { #expect(LayerGroup.name(of: name) == group) }

    @Test("Histograms count by power of two, and add up")
    func histograms() {
        let values: [Float] = [0, -0, 1, -1.5, 2, 0.25, .infinity, .nan, .leastNonzeroMagnitude]
        let base = [Float](repeating: 0, count: values.count)
        let counts = DeltaCounter()
        let slots = unsafe values.withUnsafeBufferPointer { values in
            unsafe base.withUnsafeBufferPointer { base in
                guard let first = values.baseAddress, let second = base.baseAddress else { return [Int]() }
                return unsafe counts.count(first, second, count: values.count)
            }
        }
        var histogram = DeltaHistogram(slots: Array(slots.dropLast()), zeros: slots[256])
        #expect(histogram.zeros == 2 && histogram.nonFinite == 2 && histogram.nonZeros == 5)
        #expect(histogram[0] == 2 && histogram[1] == 1 && histogram[-2] == 1 && histogram[-127] == 1)
        #expect(histogram.exponents == -127..<2 && histogram[99] == 0)
        let other = DeltaHistogram(
            slots: (0..<256).map { $0 == 130 ? 7 : 0 }, zeros: 1)
        histogram.add(other)
        #expect(histogram[3] == 7 && histogram.exponents == -127..<4 && histogram.elements == 17)
        var empty = DeltaHistogram()
        empty.add(other)
        #expect(empty == other && HistogramPlot.median(other) == 3 && HistogramPlot.median(DeltaHistogram()) == nil)
    }
}
