internal import SiltTuning

/// Every row of a sweep in figures.
extension SweepPage {
    /// The table, smallest first.
    static func table(_ report: SweepReport, _ options: (PackingChoice) -> String) -> Markup {
        guard !report.rows.isEmpty else { return "" }
        let methods = methods(report)
        let hasFactors = report.rows.contains { $0.rescale != nil }
        let sorted = report.rows.enumerated().sorted { a, b in
            (a.element.bytes.mean, a.offset) < (b.element.bytes.mean, b.offset)
        }.map(\.element)
        let rows = sorted.map { row -> Page.Row in
            var cells: [Markup] = [
                "<span class=\"nowrap\">\(Marker(index: methods.firstIndex(of: row.method) ?? 0).inLine)\(row.method)</span>",
                "\(Figures.grouped(row.bytes.mean))",
                "\(ratio(row, report))",
                "\(spread(row.metric, digits: 4))",
                "\(kept(row.metric.mean, report).map { Figures.percent($0) } ?? "")",
                "\(spread(row.divergence, digits: 3))",
            ]
            if hasFactors { cells.append("\(row.rescale.map { spread($0, digits: 3) } ?? "")") }
            cells += ["\(front(row))", "\(listed(options(row.choice)))"]
            return Page.Row(cells, isFront: row.isOnFront)
        }
        var columns = [
            ("method", false), ("bytes", true),
            ("× smaller", true), (report.metric, true),
            (report.baseMetric == nil ? "kept" : "gain kept", true), ("KL, nats", true),
        ]
        if hasFactors { columns.append(("q", true)) }
        columns += [("best in", false), ("options of silt pack", false)]
        let count = sorted.filter(\.isOnFront).count
        return Page.section(
            "\(count) of \(Figures.counted(sorted.count, "way")) of packing \(count == 1 ? "is" : "are") worth their bytes",
            [
                Page.table(
                    caption: "Smallest first; rows that are best in \(report.metric) for their size are set off. "
                        + "± is the standard deviation over seeds.", columns.map { (title: $0.0, isNumber: $0.1) }, rows
                )
            ])
    }

    private static func front(_ row: SweepReport.Row) -> String {
        switch (row.isOnFront, row.isOnDivergenceFront) {
        case (true, true): "metric, KL"
        case (true, false): "metric"
        case (false, true): "KL"
        case (false, false): ""
        }
    }

    /// Options, which break between each other only.
    private static func listed(_ text: String) -> Markup {
        var options: [String] = []
        for word in text.split(separator: " ") {
            if word.hasPrefix("-") || options.isEmpty {
                options.append(String(word))
            } else {
                options[options.count - 1] += " \(word)"
            }
        }
        return "<code class=\"options\">\(options.map { option -> Markup in "<span>\(option)</span>" })</code>"
    }

    private static func ratio(_ row: SweepReport.Row, _ report: SweepReport) -> String {
        row.bytes.mean > 0 ? Figures.ratio(Double(report.fineTunedBytes) / row.bytes.mean) : ""
    }

    private static func spread(_ spread: SweepReport.Spread, digits: Int) -> String {
        let mean = Figures.short(spread.mean, digits: digits)
        return spread.deviation > 0 ? "\(mean) ± \(Figures.short(spread.deviation, digits: 2))" : mean
    }
}
