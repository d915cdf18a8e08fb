internal import SiltFormat
internal import SiltReading
internal import TensorTypes

/// The lists at the end: every tensor, every file.
extension VerifyPage {
    /// All tensors and files, folded.
    static func contents(_ report: FileReport) -> Markup {
        Page.section(
            "\(Figures.counted(report.layers.count, "tensor")) in \(Figures.counted(report.inspection.files.count, "file"))",
            [
                Page.details("Every tensor: bytes, coding, q and error", tensors(report)),
                Page.details("Every file: size, and what it takes", files(report)),
            ])
    }

    private static func tensors(_ report: FileReport) -> Markup {
        let rows = report.layers.map { layer -> Page.Row in
            let tensor = layer.tensor
            let type = "\(tensor.info.dtype.rawValue) \(tensor.info.shape.map(String.init).joined(separator: "×"))"
            let coding = tensor.coding.isEmpty ? tensor.kind : "\(tensor.kind): \(tensor.coding)"
            func number(_ value: Double?) -> Markup { "\(value.map { Figures.short($0) } ?? "")" }
            return Page.Row([
                Page.name(tensor.name),
                "<span class=\"nowrap\">\(type)</span>",
                "\(coding)", "\(Figures.grouped(tensor.bytes))",
                "\(Figures.short(tensor.bitsPerParameter, digits: 3))",
                "\(layer.factors.map { Figures.plain($0.median) } ?? "")",
                layer.isLossy ? number(layer.receipt?.l2) : "exact", number(layer.receipt?.max),
                number(layer.receipt?.cosine),
            ])
        }
        return Page.table(
            caption: "In the order of the file. Bytes are without tables that tensors share; q is the median.",
            [
                ("tensor", false), ("type", false), ("coding", false), ("bytes", true), ("bits/param.", true),
                ("q", true),
                ("relative L2", true), ("largest error", true), ("cosine", true),
            ], rows)
    }

    private static func files(_ report: FileReport) -> Markup {
        let rows = report.inspection.files.map { file -> Page.Row in
            Page.Row([
                Page.name(file.path), "\(file.kind.rawValue)", "\(Figures.grouped(file.bytes))",
                "\(Figures.grouped(file.storedBytes))",
            ])
        }
        return Page.table(
            caption: "Files of kind base are equal in the base and take nothing.",
            [("file", false), ("kind", false), ("bytes", true), ("stored", true)], rows)
    }
}
