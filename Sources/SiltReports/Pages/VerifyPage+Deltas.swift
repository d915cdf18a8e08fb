internal import SiltFormat
internal import SiltReading
internal import TensorTypes

/// What the deltas look like, and how far the rebuilt are from the fine-tuned.
extension VerifyPage {
    /// Histograms: of lossy tensors if there are any, else of all.
    static func deltas(_ report: FileReport) -> Markup {
        let hasLossy = report.layers.contains { $0.isLossy && $0.rebuiltDelta != nil }
        let layers = report.layers.filter { $0.rebuiltDelta != nil && ($0.isLossy || !hasLossy) }
        let rebuilt = sum(layers.map(\.rebuiltDelta))
        let hasFineTuned = !layers.isEmpty && layers.allSatisfy { $0.fineTunedDelta != nil }
        let fineTuned = hasFineTuned && hasLossy ? sum(layers.map(\.fineTunedDelta)) : nil
        guard rebuilt.nonZeros > 0 || (fineTuned?.nonZeros ?? 0) > 0 else { return "" }
        let title = deltasTitle(rebuilt, fineTuned)
        let plot = HistogramPlot(id: "deltas", title: title, fineTuned: fineTuned, rebuilt: rebuilt)
        var legend: [(fill: Bars.Fill, colour: Int, words: String)] = [(.empty, 1, "rebuilt delta")]
        if fineTuned != nil { legend.insert((.solid, 0, "fine-tuned delta"), at: 0) }
        let scope = "\(Figures.counted(layers.count, hasLossy ? "lossy tensor" : "tensor")) with a base"
        return Page.section(
            title,
            [
                Bars.legend(legend),
                Page.figure(
                    caption: """
                        Magnitudes in \(scope). Elements that are 0 are left out of the drawing and counted in the table; \
                        so are bins of less than \(Figures.percent(HistogramPlot.least)).
                        """, plot.draw), deltaTable(rebuilt, fineTuned),
                deltasByGroup(layers, hasFineTuned && hasLossy),
            ])
    }

    private static func sum(_ histograms: [DeltaHistogram?]) -> DeltaHistogram {
        histograms.reduce(into: DeltaHistogram()) { sum, histogram in
            if let histogram { sum.add(histogram) }
        }
    }

    private static func zeros(_ histogram: DeltaHistogram) -> String {
        Figures.percent(histogram.elements > 0 ? Double(histogram.zeros) / Double(histogram.elements) : 0)
    }

    private static func deltasTitle(_ rebuilt: DeltaHistogram, _ fineTuned: DeltaHistogram?) -> String {
        guard let fineTuned else { return "The delta is 0 in \(zeros(rebuilt)) of its elements" }
        return "The rebuilt delta is 0 in \(zeros(rebuilt)) of its elements, the fine-tuned one in \(zeros(fineTuned))"
    }

    private static func deltaTable(_ rebuilt: DeltaHistogram, _ fineTuned: DeltaHistogram?) -> Markup {
        let notFinite = rebuilt.nonFinite + (fineTuned?.nonFinite ?? 0)
        let rows = [("fine-tuned", fineTuned), ("rebuilt", rebuilt)].compactMap {
            name, histogram -> Page.Row? in
            guard let histogram else { return nil }
            let median = HistogramPlot.median(histogram).map {
                "\(HistogramPlot.power($0)) to \(HistogramPlot.power($0 + 1))"
            }
            let cells: [Markup] = [
                "\(name)", "\(Figures.grouped(histogram.elements))", "\(Figures.grouped(histogram.zeros))",
                "\(zeros(histogram))", "\(median ?? "-")",
            ]
            return Page.Row(cells)
        }
        return Page.table(
            caption: notFinite > 0
                ? "\(Figures.grouped(notFinite)) elements are not finite." : "Elements of these tensors.",
            [
                ("delta", false), ("elements", true), ("are 0", true), ("share", true), ("median of the rest", true),
            ], rows)
    }

    private static func deltasByGroup(_ layers: [FileReport.Layer], _ hasFineTuned: Bool) -> Markup {
        let groups = LayerGroups(layers).all
        guard groups.count > 1 else { return "" }
        let figures = groups.enumerated().map { index, group -> Markup in
            let plot = HistogramPlot(
                id: "deltas-\(index)", title: group.name,
                fineTuned: hasFineTuned ? sum(group.layers.map(\.fineTunedDelta)) : nil,
                rebuilt: sum(group.layers.map(\.rebuiltDelta)), isSmall: true)
            return Page.figure(
                caption: "\(Figures.counted(group.layers.count, "tensor"))", heading: Page.name(group.name), plot.draw)
        }
        return Page.details("The same by group of tensors", Markup(figures))
    }

    /// Rescale factors, where tensors differ in them.
    static func factors(_ report: FileReport) -> Markup {
        let layers = report.layers.filter { $0.factors != nil }
        let factors = layers.compactMap(\.factors)
        guard let first = factors.first else { return "" }
        let keep = common(layers.map(\.keep))
        let isUniform = factors.allSatisfy { $0.least == first.least && $0.largest == first.least }
        if isUniform {
            let dare = keep.map { Swift.abs($0 - first.least) < 1e-6 ? ", DARE’s 1 - p" : "" } ?? ""
            return Page.section(
                "The rescale factor q is \(Figures.plain(first.least))\(dare), in all \(Figures.counted(layers.count, "tensor"))",
                ["<p class=\"note\">Kept values are divided by q. A smaller q makes the rebuilt delta larger.</p>"])
        }
        let (least, largest) = (factors.map(\.least).min() ?? 0, factors.map(\.largest).max() ?? 0)
        let title = "The rescale factor q is between \(Figures.plain(least)) and \(Figures.plain(largest))"
        let rows = LayerGroups(layers).all.map { group in
            (
                name: group.name,
                dots: group.layers.compactMap { layer in
                    layer.factors.map {
                        StripPlot.Dot(name: layer.tensor.name, value: $0.median, least: $0.least, largest: $0.largest)
                    }
                }
            )
        }
        let plot = StripPlot(
            id: "factors", title: title, axis: "q", rows: rows,
            reference: keep.map { ($0, "1 - p = \(Figures.plain($0))") })
        return Page.section(
            title,
            [
                Page.figure(
                    caption: """
                        A dot for each tensor: its q, of several the median with a line from least to largest. Kept values \
                        are divided by q; the dashed line, if there is one, is DARE’s.
                        """, plot.draw)
            ])
    }

    /// The value that all have; nil if they differ or lack one.
    private static func common(_ values: [Double?]) -> Double? {
        guard let first = values.first ?? nil, values.allSatisfy({ $0 == first }) else { return nil }
        return first
    }

    /// Relative errors, tensor by tensor.
    static func errors(_ report: FileReport) -> Markup {
        let layers = report.layers.filter { $0.isLossy && $0.receipt != nil }
        let values = layers.compactMap { $0.receipt?.l2 }
        guard let least = values.min(), let largest = values.max() else { return "" }
        let words =
            layers.count == 1 || least == largest
            ? "is \(Figures.short(least))"
            : "goes from \(Figures.short(least)) to \(Figures.short(largest)) across tensors"
        let title = "The delta’s relative L2 error \(words)"
        let rows = LayerGroups(layers).all.map { group in
            (
                name: group.name,
                dots: group.layers.compactMap { layer in
                    layer.receipt.map { StripPlot.Dot(name: layer.tensor.name, value: $0.l2) }
                }
            )
        }
        let plot = StripPlot(
            id: "errors", title: title, axis: "relative L2 error", rows: rows,
            reference: report.receipt.map { ($0.l2, "all together \(Figures.short($0.l2))") })
        let source =
            report.verification.compared ? "Measured against the fine-tuned checkpoint." : "As the file’s receipts say."
        return Page.section(
            title,
            [
                Page.figure(
                    caption: """
                        A dot for each lossy tensor: |rebuilt - fine-tuned| / |fine-tuned - base|. 0 is exact, 1 is as far \
                        as the base; random masks lie above 1 by design, and are near in what the model computes. \(source)
                        """, plot.draw)
            ])
    }
}
