internal import SiltReading
internal import SiltPacking

/// The table of what each kind of part takes.
enum EncodingTable {
    /// Lines for shares of a file of `total` bytes; what is left is the header, the manifest and the chunk table.
    static func lines(_ encodings: [String: EncodingShare], total: Int) -> [String] {
        var table = Table([
            .init(title: "kind", isNumber: false), .init(title: "tensors"), .init(title: "bytes"),
            .init(title: "share"),
        ])
        func share(_ bytes: Int) -> String {
            Text.decimal(total > 0 ? 100 * Double(bytes) / Double(total) : 0, 1) + " %"
        }
        for (kind, part) in encodings.sorted(by: { ($0.value.bytes, $1.key) > ($1.value.bytes, $0.key) }) {
            table.add([
                kind, part.tensors > 0 ? Text.grouped(part.tensors) : "", Text.grouped(part.bytes), share(part.bytes),
            ])
        }
        let rest = total - encodings.values.reduce(0) { $0 + $1.bytes }
        table.add(["manifest", "", Text.grouped(rest), share(rest)])
        return table.lines()
    }
}
