internal import ByteSources
internal import TensorTypes

/// The rules of safetensors headers, in the order in which they are checked.
struct HeaderParser {
    typealias Entry = SafetensorsHeader.Entry

    let text: [UInt8]
    /// Bytes of the whole file.
    let fileBytes: Int
    let file: String

    /// The metadata and the entries in their order.
    ///
    /// Throws `header` or `truncated`.
    func contents() throws(SiltError) -> (metadata: [String: String]?, entries: [Entry]) {
        guard text.count <= SafetensorsHeader.limit else {
            throw error("the header has \(text.count) bytes; at most \(SafetensorsHeader.limit) are allowed")
        }
        guard text.first == UInt8(ascii: "{") else {
            let isMarked = text.starts(with: ByteOrderMark.bytes)
            throw error(
                "the header does not begin with \"{\"" + (isMarked ? ": a byte order mark stands there" : ""),
                bytes: text.isEmpty ? 0..<8 : 8..<9, advice: isMarked ? HeaderParser.savedAgain : nil)
        }
        var metadata: [String: String]?
        var entries: [Entry] = []
        for member in try members() {
            if member.key == "__metadata__" {
                metadata = try strings(member.value)
            } else {
                entries.append(try entry(member.key, member.value))
            }
        }
        entries.sort(by: HeaderParser.isOrdered)
        try checkCover(entries)
        return (metadata, entries)
    }

    /// An error of class `header`.
    ///
    /// `bytes` are those of the file to blame; absent, the whole header is.
    func error(_ message: String, tensor: String? = nil, bytes: Range<Int>? = nil, advice: String? = nil) -> SiltError {
        let bytes = bytes ?? 8..<8 + text.count
        let range = UInt64(max(0, bytes.lowerBound))..<UInt64(max(0, bytes.upperBound))
        return SiltError(.header, message, file: file, tensor: tensor, range: range, advice: advice)
    }

    /// What helps where the program that wrote a file broke the rules.
    private static let savedAgain =
        "the program that wrote the file broke a rule of safetensors: load it there, and save it again with safetensors' save_file"

    private func members() throws(SiltError) -> [JSONValue.Member] {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: text)
        } catch {
            let place = 8 + min(error.offset, max(0, text.count - 1))
            if let zero = text.firstIndex(of: 0), (try? JSONValue(parsing: Array(text[..<zero]))) == nil {
                throw self.error(
                    "the header is not strict JSON: zeros from byte \(8 + zero) of the file on",
                    bytes: 8 + zero..<8 + text.count,
                    advice: "a download took its room and did not fill it: download the file again")
            }
            throw self.error(
                "the header is not strict JSON: \(error.reason)", bytes: place..<place + 1,
                advice: HeaderParser.savedAgain)
        }
        guard case .object(let members) = value else { throw error("the header is \(value.kind), not an object") }
        return members
    }

    /// The metadata; nil for `null`, which the reference reader takes for none.
    private func strings(_ value: JSONValue) throws(SiltError) -> [String: String]? {
        if value == .null { return nil }
        guard case .object(let members) = value else {
            throw error("\"__metadata__\" is \(value.kind), not an object")
        }
        var strings: [String: String] = [:]
        for member in members {
            guard case .string(let string) = member.value else {
                throw error(
                    "\"__metadata__\" has \(member.value.kind) for \"\(member.key)\"; only strings are allowed",
                    advice: HeaderParser.savedAgain)
            }
            strings[member.key] = string
        }
        return strings
    }

    private func entry(_ name: String, _ value: JSONValue) throws(SiltError) -> Entry {
        guard case .object(let members) = value else {
            throw error("the entry is \(value.kind), not an object", tensor: name)
        }
        for member in members where !["dtype", "shape", "data_offsets"].contains(member.key) {
            throw error("the entry has the unknown field \"\(member.key)\"", tensor: name)
        }
        let dtype = try dtype(value["dtype"], of: name)
        let shape = try integers(value["shape"], "shape", of: name)
        let offsets = try integers(value["data_offsets"], "data_offsets", of: name)
        guard offsets.count == 2 else {
            throw error("\"data_offsets\" has \(offsets.count) numbers, not 2", tensor: name)
        }
        let info = try info(dtype, shape, of: name)
        guard offsets[0] <= offsets[1] else {
            throw error("the data end at \(offsets[1]), before they begin at \(offsets[0])", tensor: name)
        }
        let range = offsets[0]..<offsets[1]
        guard range.count == info.bytes else {
            throw error(
                "\(info.description) takes \(info.bytes) bytes, but the offsets span \(range.count)", tensor: name,
                bytes: inFile(range))
        }
        return Entry(name: name, info: info, range: range)
    }

    private func dtype(_ value: JSONValue?, of name: String) throws(SiltError) -> DType {
        guard let value else { throw error("the entry has no \"dtype\"", tensor: name) }
        guard case .string(let text) = value else {
            throw error("\"dtype\" is \(value.kind), not a string", tensor: name)
        }
        guard let dtype = DType(rawValue: text) else {
            let known = DType.allCases.map(\.rawValue).joined(separator: ", ")
            throw error(
                "the dtype \"\(text)\" is unknown; known are \(known)", tensor: name,
                advice: "a newer version of Silt may know it")
        }
        return dtype
    }

    private func integers(_ value: JSONValue?, _ field: String, of name: String) throws(SiltError) -> [Int] {
        guard let value else { throw error("the entry has no \"\(field)\"", tensor: name) }
        guard case .array(let elements) = value else {
            throw error("\"\(field)\" is \(value.kind), not an array", tensor: name)
        }
        var integers: [Int] = []
        for element in elements {
            guard case .integer(let integer) = element, integer >= 0 else {
                throw error("\"\(field)\" must contain only integers from 0 to 2^63 - 1", tensor: name)
            }
            integers.append(integer)
        }
        return integers
    }

    private func info(_ dtype: DType, _ shape: [Int], of name: String) throws(SiltError) -> TensorInfo {
        if let info = TensorInfo(dtype: dtype, shape: shape) { return info }
        var bits = dtype.bits
        for extent in shape {
            let (product, overflow) = bits.multipliedReportingOverflow(by: extent)
            guard !overflow else { throw error("the size overflows: \(dtype.rawValue) \(shape)", tensor: name) }
            bits = product
        }
        throw error("\(dtype.rawValue) \(shape) takes \(bits) bits, which is not a whole number of bytes", tensor: name)
    }

    /// The data are covered from the first byte to the end of the file, each byte once.
    private func checkCover(_ entries: [Entry]) throws(SiltError) {
        var end = 0
        for entry in entries {
            guard entry.range.lowerBound <= end else {
                throw error(
                    "bytes \(end)..<\(entry.range.lowerBound) of the data belong to no tensor", tensor: entry.name,
                    bytes: inFile(end..<entry.range.lowerBound), advice: HeaderParser.savedAgain)
            }
            guard entry.range.lowerBound == end else {
                throw error(
                    "the data overlap those of another tensor, which end at \(end)", tensor: entry.name,
                    bytes: inFile(entry.range))
            }
            end = entry.range.upperBound
        }
        let (expected, overflow) = end.addingReportingOverflow(8 + text.count)
        guard !overflow, expected <= fileBytes else {
            let said = overflow ? "more than 2^63" : "\(expected)"
            throw SiltError(
                .truncated, "the file has \(fileBytes) bytes; its header says \(said)", file: file,
                advice: "the file is incomplete: copy or download it again")
        }
        guard expected == fileBytes else {
            throw error(
                "\(fileBytes - expected) bytes after the data belong to no tensor", bytes: expected..<fileBytes,
                advice:
                    "save it again with safetensors' save_file where it was made, or cut the trailing bytes off: `truncate -s \(expected) FILE`"
            )
        }
    }

    /// Bytes of the data as bytes of the file.
    private func inFile(_ range: Range<Int>) -> Range<Int>? {
        let (end, overflow) = range.upperBound.addingReportingOverflow(8 + text.count)
        return overflow ? nil : end - range.count..<end
    }

    private static func isOrdered(_ first: Entry, _ second: Entry) -> Bool {
        let (left, right) = (first.range, second.range)
        if left.lowerBound != right.lowerBound { return left.lowerBound < right.lowerBound }
        if left.upperBound != right.upperBound { return left.upperBound < right.upperBound }
        return first.name.utf8.lexicographicallyPrecedes(second.name.utf8)
    }
}
