extension JSONValue {
    /// The value as JSON text in UTF-8; with `pretty`, indented by two spaces.
    package func serialized(pretty: Bool = false) -> [UInt8] {
        var writer = JSONWriter(pretty: pretty)
        writer.write(self, depth: 0)
        return writer.bytes
    }
}

private struct JSONWriter {
    let pretty: Bool
    var bytes: [UInt8] = []

    init(pretty: Bool) { self.pretty = pretty }

    mutating func write(_ value: JSONValue, depth: Int) {
        switch value {
        case .null: raw("null")
        case .bool(let flag): raw(flag ? "true" : "false")
        case .integer(let integer): raw(String(integer))
        case .number(let number): raw(number.isFinite ? String(number) : "null")
        case .string(let text): string(text)
        case .array(let elements):
            list("[", "]", count: elements.count, depth: depth) { writer, index in
                writer.write(elements[index], depth: depth + 1)
            }
        case .object(let members):
            list("{", "}", count: members.count, depth: depth) { writer, index in
                writer.string(members[index].key)
                writer.raw(writer.pretty ? ": " : ":")
                writer.write(members[index].value, depth: depth + 1)
            }
        }
    }

    private mutating func list(
        _ open: String, _ close: String, count: Int, depth: Int, element: (inout JSONWriter, Int) -> Void
    ) {
        raw(open)
        for index in 0..<count {
            if index > 0 { raw(",") }
            newline(depth + 1)
            element(&self, index)
        }
        if count > 0 { newline(depth) }
        raw(close)
    }

    private mutating func newline(_ depth: Int) {
        guard pretty else { return }
        bytes.append(10)
        bytes.append(contentsOf: repeatElement(32, count: 2 * depth))
    }

    private mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func string(_ text: String) {
        bytes.append(0x22)
        for byte in text.utf8 {
            switch byte {
            case 0x22: raw("\\\"")
            case 0x5C: raw("\\\\")
            case 0x0A: raw("\\n")
            case 0x0D: raw("\\r")
            case 0x09: raw("\\t")
            case 0..<0x20: raw("\\u00" + Hex.string([byte]))
            default: bytes.append(byte)
            }
        }
        bytes.append(0x22)
    }
}
