internal import SiltFormat
internal import SiltReading
internal import TensorTypes

/// Where the bytes go.
extension VerifyPage {
    /// Bytes by group of tensors, and of all else in the file.
    static func sizes(_ report: FileReport) -> Markup {
        let groups = LayerGroups(report.layers)
        let isLossy = report.contract == .lossy
        var rows = groups.all.map { group in
            row(
                group.name, group.layers.count, group.lossyBytes, group.bytes - group.lossyBytes, group.parameters,
                report,
                isApart: group.name == groups.rest?.name)
        }
        let extra = [
            ("tables that tensors share", report.tableBytes), ("other files", report.otherFileBytes),
            ("manifest, chunk table, header", report.inspection.overheadBytes),
        ]
        rows += extra.filter { $0.1 > 0 }.map { row($0.0, nil, 0, $0.1, nil, report, isApart: true) }
        let bars = Bars(
            caption: "Stored bytes by group of tensors; N stands for any number in a name.", title: "part of the model",
            barTitle: "stored",
            columns: [("tensors", true), ("bytes", false), ("share", false), ("bits/param.", true)], rows: rows)
        let legend =
            isLossy
            ? Bars.legend([(.solid, 0, "lossy tensors"), (.hatched, 1, "exact tensors and all else")]) : "" as Markup
        return Page.section(sizesTitle(report, groups), [legend, bars.markup])
    }

    private static func row(
        _ name: String, _ tensors: Int?, _ lossy: Int, _ exact: Int, _ parameters: Int?, _ report: FileReport,
        isApart: Bool
    ) -> Bars.Row {
        let bytes = lossy + exact
        // Of an exact file nothing needs to be told apart.
        let exactFill: Bars.Fill = report.contract == .lossy ? .hatched : .solid
        return Bars.Row(
            name: isApart ? "\(name)" : Page.name(name),
            pieces: [
                .init(value: Double(lossy), fill: .solid, colour: 0),
                .init(value: Double(exact), fill: exactFill, colour: exactFill == .solid ? 0 : 1),
            ],
            cells: [
                tensors.map(Figures.grouped) ?? "", Figures.grouped(bytes),
                Figures.percent(report.fileBytes > 0 ? Double(bytes) / Double(report.fileBytes) : 0),
                parameters.map { Figures.short(bits(bytes, $0), digits: 3) } ?? "",
            ], isApart: isApart)
    }

    private static func sizesTitle(_ report: FileReport, _ groups: LayerGroups) -> String {
        guard report.fileBytes > 0 else { return "Where the bytes go" }
        let all = Double(report.fileBytes)
        let lossy = report.layers.filter(\.isLossy).reduce(0) { $0 + $1.tensor.bytes }
        if report.contract == .lossy, 2 * lossy < report.fileBytes {
            return
                "\(Figures.percent(1 - Double(lossy) / all)) of the bytes are what is kept exactly"
        }
        guard let largest = groups.shown.first, largest.bytes > 0 else { return "Where the bytes go" }
        return "\(Escape.printable(largest.name)) takes \(Figures.percent(Double(largest.bytes) / all)) of the bytes"
    }
}
