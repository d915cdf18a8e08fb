internal import SiltFormat
internal import SiltReading
internal import ArgumentParser
internal import TensorTypes

/// `silt inspect`.
struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a Silt file holds and what each tensor costs.",
        discussion: ExitStatus.help)

    @Argument(help: "The Silt file.")
    var file: String

    @OptionGroup var common: CommonOptions

    func run() throws {
        let inspection = try Inspection(of: file)
        common.report(inspection.json, lines(inspection))
    }

    private func lines(_ it: Inspection) -> [String] {
        let ratio = it.bytes > 0 ? Double(it.fineTunedBytes) / Double(it.bytes) : 0
        var lines = [
            "\(file)",
            "  contract  \(it.contract) (a \(it.form); format \(it.metadata["silt_version"] ?? "?"), \(it.writer))",
            "  base      \(it.baseRoot)", "  result    \(it.resultRoot ?? "unknown")",
            "  size      \(Text.grouped(it.bytes)) bytes for \(Text.grouped(it.fineTunedBytes)): "
                + "\(Text.decimal(ratio, 2)) x smaller",
            "",
        ]
        if !it.packing.isEmpty {
            lines += Text.wrapped(it.packing.map { Text.printable("\($0.name) \($0.value)") }.joined(separator: ", "))
        }
        if let receipt = it.receipt { lines += Text.wrapped(Text.receipt(receipt)) }
        if lines.last != "" { lines.append("") }
        if !it.evaluations.isEmpty { lines += EvaluationTable.lines(it.evaluations) + [""] }
        lines += EncodingTable.lines(it.encodings, total: it.bytes)
        var files = Table([
            .init(title: "file", isNumber: false, canShrink: true), .init(title: "kind", isNumber: false),
            .init(title: "bytes"), .init(title: "stored"),
        ])
        for file in it.files {
            files.add([file.path, file.kind.rawValue, Text.grouped(file.bytes), Text.grouped(file.storedBytes)])
        }
        var tensors = Table([
            .init(title: "tensor", isNumber: false, canShrink: true), .init(title: "dtype", isNumber: false),
            .init(title: "shape", isNumber: false), .init(title: "kind", isNumber: false),
            .init(title: it.contract == .lossy ? "rel. L2" : "codec", isNumber: it.contract == .lossy),
            .init(title: "stored"), .init(title: "bits"),
        ])
        for tensor in it.tensors {
            tensors.add([
                tensor.name, tensor.info.dtype.rawValue,
                tensor.info.shape.map(String.init).joined(separator: "x"), tensor.kind,
                it.contract == .lossy ? tensor.receipt.map { Text.short($0.l2) } ?? "exact" : tensor.codec,
                Text.grouped(tensor.bytes), Text.decimal(tensor.bitsPerParameter, 2),
            ])
        }
        return lines + [""] + files.lines() + [""] + tensors.lines()
    }
}
