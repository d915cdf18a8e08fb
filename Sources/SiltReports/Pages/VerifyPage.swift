internal import Safetensors
internal import SiltFormat
internal import SiltReading
internal import TensorTypes

/// The page about one Silt file.
package enum VerifyPage {
    /// The page; the same report gives the same bytes.
    package static func html(_ report: FileReport) -> String {
        Page.document(
            title: "\(Page.lastComponent(report.file)): Silt file report",
            [
                header(report), differences(report), metrics(report), sizes(report), deltas(report), factors(report),
                errors(report), contents(report), footer(report),
            ].filter { !$0.isEmpty })
    }

    private static func header(_ report: FileReport) -> Markup {
        let ratio = report.fileBytes > 0 ? Double(report.fineTunedBytes) / Double(report.fileBytes) : 0
        let (small, large) = (Figures.bytes(Double(report.fileBytes)), Figures.bytes(Double(report.fineTunedBytes)))
        let headline =
            ratio >= 1.005 ? "\(Figures.ratio(ratio)) × smaller: \(small) instead of \(large)" : "\(small) for \(large)"
        let files = Figures.counted(report.inspection.files.count, "file")
        var facts = [
            ("Silt file", "\(Figures.grouped(report.fileBytes)) bytes"),
            ("gives back", "\(Figures.grouped(report.fineTunedBytes)) bytes"),
            ("bits per parameter", Figures.short(bits(report.fileBytes, report.parameters))),
            ("contract", report.contract.rawValue),
        ]
        if let receipt = report.receipt {
            facts += [
                ("relative L2 error of the delta", Figures.short(receipt.l2)),
                ("cosine to the fine-tuned delta", Figures.short(receipt.cosine)),
            ]
        }
        return """
            <header>
            <p class="kicker">Silt file \(Page.name(Page.lastComponent(report.file))) over the base \
            \(Page.name(Page.lastComponent(report.base)))</p>
            <h1>\(headline)</h1>
            \(Page.status(report.isAsPromised, verdict(report)))
            <p class="note">Everything is counted on both sides: all bytes of the Silt file, and of the \(files) that it \
            gives back. The base is needed too, and is counted on neither.</p>
            \(Page.facts(facts))
            </header>
            """
    }

    /// Bits for each of `parameters`.
    static func bits(_ bytes: Int, _ parameters: Int) -> Double {
        parameters > 0 ? 8 * Double(bytes) / Double(parameters) : 0
    }

    private static func verdict(_ report: FileReport) -> String {
        let found = report.verification
        guard found.identical else { return "Different in \(Figures.counted(found.differences.count, "place"))" }
        guard report.isAsPromised else { return "Digests are right, but a metric is not what the file says" }
        guard found.unknownDigests == 0 else {
            return "Rebuilt; \(Figures.counted(found.unknownDigests, "tensor")) without a digest to compare with"
        }
        switch (found.contract == .lossy, found.compared) {
        case (false, true): return "Identical: every byte equals the fine-tuned checkpoint’s"
        case (false, false): return "Intact: the digests of all tensors and files are right"
        case (true, true):
            return "As promised: digests and receipt are right, exact tensors equal the fine-tuned checkpoint’s"
        case (true, false): return "Intact: the digests of all tensors and files are right (contract lossy)"
        }
    }

    /// Differences that a page lists.
    private static let differenceLimit = 50

    private static func differences(_ report: FileReport) -> Markup {
        guard !report.differences.isEmpty else { return "" }
        let rows = report.differences.prefix(differenceLimit).map { difference -> Page.Row in
            Page.Row([
                Page.name([difference.file, difference.tensor].compactMap { $0 }.joined(separator: ": ")),
                "\(difference.kind.name)", "\(difference.what)",
            ])
        }
        let more = report.differences.count - rows.count
        return Page.section(
            "\(Figures.counted(report.differences.count, "difference")): the result is not what it should be",
            [
                Page.table(
                    caption: more > 0 ? "The first \(rows.count); \(Figures.grouped(more)) more." : "All of them.",
                    [("where", false), ("class", false), ("what differs", false)], Array(rows))
            ])
    }

    private static func footer(_ report: FileReport) -> Markup {
        let it = report.inspection
        let packing = it.packing.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
        let method: Markup = packing.isEmpty ? "" : "<p>Packed with \(packing).</p>"
        return """
            <footer>
            \(method)
            <p>Written by \(it.writer), a \(it.form.rawValue). Base \(it.baseRoot); result \
            \(it.resultRoot ?? "not known").</p>
            </footer>
            """
    }
}
