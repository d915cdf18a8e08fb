internal import SiltPacking
package import SiltTuning

/// The page about many ways of packing one pair.
package enum SweepPage {
    /// The share of the fine-tuning's gain that the headline asks for.
    private static let enough = 0.99

    /// The page; the same report gives the same bytes.
    ///
    /// - Parameter options: what the reader gives a program to have a row.
    package static func html(_ report: SweepReport, options: (PackingChoice) -> String) -> String {
        Page.document(
            title: "\(report.fineTuned): \(report.metric) per byte",
            [header(report), metricSection(report), divergenceSection(report), table(report, options), footer(report)]
                .filter {
                    !$0.isEmpty
                })
    }

    private static func header(_ report: SweepReport) -> Markup {
        var facts = [
            ("fine-tuned checkpoint", Figures.bytes(Double(report.fineTunedBytes))),
            ("\(report.metric), fine-tuned", Figures.short(report.fineTunedMetric)),
        ]
        if let base = report.baseMetric { facts.append(("\(report.metric), base", Figures.short(base))) }
        if let exact = report.exactBytes { facts.append(("exact Silt file", Figures.bytes(Double(exact)))) }
        facts.append(("ways of packing", Figures.grouped(report.rows.count)))
        return """
            <header>
            <p class="kicker">\(Page.name(report.fineTuned)) over the base \(Page.name(report.base)), on \
            \(Page.name(report.data))</p>
            <h1>\(headline(report))</h1>
            <p class="note">\(Figures.counted(report.examples, "example")), \(Figures.counted(report.seeds, "seed")) for each \
            random choice. Sizes are whole Silt files against all files of the fine-tuned checkpoint; the base is counted on \
            neither side.</p>
            \(Page.facts(facts))
            </header>
            """
    }

    /// The smallest file that is good enough.
    private static func headline(_ report: SweepReport) -> String {
        let good = report.rows.filter { (kept($0.metric.mean, report) ?? -1) >= enough && $0.bytes.mean > 0 }
        guard let row = good.min(by: { $0.bytes.mean < $1.bytes.mean }) else {
            return report.rows.isEmpty
                ? "Nothing was packed" : "No way of packing keeps 99 % of \(goal(report))"
        }
        let ratio = Figures.ratio(Double(report.fineTunedBytes) / row.bytes.mean)
        return "\(Figures.bytes(row.bytes.mean)), \(ratio) × smaller, keep 99 % of \(goal(report)): \(name(row))"
    }

    private static func goal(_ report: SweepReport) -> String {
        report.baseMetric == nil ? "the fine-tuned \(report.metric)" : "what fine-tuning gained in \(report.metric)"
    }

    /// What share of the fine-tuning's gain a metric keeps; without a base, of the metric itself.
    static func kept(_ value: Double, _ report: SweepReport) -> Double? {
        guard let base = report.baseMetric else {
            let share = report.higherIsBetter ? value / report.fineTunedMetric : report.fineTunedMetric / value
            return share.isFinite ? share : nil
        }
        let gain = report.fineTunedMetric - base
        guard report.higherIsBetter ? gain > 0 : gain < 0 else { return nil }
        return (value - base) / gain
    }

    /// A row in few words.
    static func name(_ row: SweepReport.Row) -> String {
        ([row.method] + (row.drop.map { ["p \(Figures.plain($0))"] } ?? []) + (row.values.map { [$0.rawValue] } ?? []))
            .joined(separator: ", ")
    }

    /// The methods, in the order in which they come; each has a marker.
    static func methods(_ report: SweepReport) -> [String] {
        var seen: Set<String> = []
        return report.rows.map(\.method).filter { seen.insert($0).inserted }
    }

    private static func legend(_ methods: [String]) -> Markup {
        let items = methods.enumerated().map { index, method -> Markup in
            "<li>\(Marker(index: index).inLine)\(method)</li>"
        }
        return "<ul class=\"legend\">\(items)</ul>"
    }

    private static func points(
        _ report: SweepReport, _ methods: [String], _ value: (SweepReport.Row) -> SweepReport.Spread,
        _ words: String, _ isOnFront: (SweepReport.Row) -> Bool
    ) -> [FrontPlot.Point] {
        report.rows.filter { $0.bytes.mean > 0 && $0.bytes.mean.isFinite && value($0).mean.isFinite }.map { row in
            FrontPlot.Point(
                method: methods.firstIndex(of: row.method) ?? 0,
                label: "\(name(row)): \(Figures.bytes(row.bytes.mean)), \(words) \(Figures.short(value(row).mean))",
                bytes: row.bytes, value: value(row), isOnFront: isOnFront(row))
        }
    }

    private static func exact(_ report: SweepReport) -> (bytes: Double, words: String)? {
        report.exactBytes.map { (Double($0), "exact Silt file") }
    }

    private static let marks =
        "Full markers are on the front: nothing else is as good in fewer bytes. Whiskers go from the least to the largest of all seeds."

    private static func metricSection(_ report: SweepReport) -> Markup {
        let methods = methods(report)
        let front = report.rows.filter(\.isOnFront)
        guard !front.isEmpty else { return "" }
        let title = frontTitle(front, "\(report.metric) for each size")
        var levels = [(report.fineTunedMetric, "fine-tuned \(Figures.short(report.fineTunedMetric))")]
        var note = ""
        if let base = report.baseMetric {
            let words = "base \(Figures.short(base))"
            // A base that is far worse than everything else would press the rest together.
            let reach =
                report.rows.map { Swift.abs($0.metric.mean - report.fineTunedMetric) }.filter(\.isFinite).max() ?? 0
            if Swift.abs(base - report.fineTunedMetric) <= 1.3 * reach {
                levels.append((base, words))
            } else {
                note = " The \(words) is outside the plot."
            }
        }
        let plot = FrontPlot(
            id: "metric", title: title, axis: "\(report.metric) (\(report.higherIsBetter ? "more" : "less") is better)",
            isLogarithmic: false, methods: methods,
            points: points(report, methods, \.metric, report.metric, \.isOnFront), levels: levels, size: exact(report))
        return Page.section(title, [legend(methods), Page.figure(caption: "\(marks)\(note)", plot.draw)])
    }

    private static func divergenceSection(_ report: SweepReport) -> Markup {
        let methods = methods(report)
        let front = report.rows.filter { $0.isOnDivergenceFront && $0.divergence.mean > 0 }
        guard !front.isEmpty else { return "" }
        let title = frontTitle(front, "divergence from the fine-tuned model for each size")
        let zero = report.rows.filter { $0.divergence.mean <= 0 }.count
        let note = zero > 0 ? " \(Figures.counted(zero, "row")) with a divergence of 0 cannot be drawn here." : ""
        let plot = FrontPlot(
            id: "divergence", title: title, axis: "KL divergence in nats (less is better)", isLogarithmic: true,
            methods: methods, points: points(report, methods, \.divergence, "KL", \.isOnDivergenceFront), levels: [],
            size: exact(report))
        return Page.section(
            title,
            [
                legend(methods),
                Page.figure(
                    caption: """
                        Divergence of the model’s outputs, fine-tuned against rebuilt: it tells ways of packing apart that \
                        have the same \(report.metric). \(marks)\(note)
                        """, plot.draw),
            ])
    }

    /// Who gives the best of something.
    private static func frontTitle(_ front: [SweepReport.Row], _ what: String) -> String {
        var seen: Set<String> = []
        let methods = front.sorted { $0.bytes.mean < $1.bytes.mean }.map(\.method).filter { seen.insert($0).inserted }
        switch methods.count {
        case 1: return "\(methods[0]) gives the best \(what)"
        case 2...3:
            return
                "\(methods.dropLast().joined(separator: ", ")) and \(methods[methods.count - 1]) give the best \(what)"
        default: return "\(methods.count) methods share the best \(what)"
        }
    }

    private static func footer(_ report: SweepReport) -> Markup {
        """
        <footer><p>\(Figures.grouped(report.parameters)) parameters. Packed and measured in \
        \(Figures.decimal(report.seconds, 0)) s.</p></footer>
        """
    }
}
