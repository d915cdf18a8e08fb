import Safetensors
import TensorTypes
import TestSupport
import Testing

/// One test for each way in which a header can be wrong.
@Suite("Headers that are refused")
struct HeaderRefusalTests {
    /// What reading a header gives, for a file with `dataBytes` bytes after it.
    private func error(_ text: String, dataBytes: Int = 0) -> SiltError? {
        error(Array(text.utf8), dataBytes: dataBytes)
    }

    private func error(_ text: [UInt8], dataBytes: Int = 0) -> SiltError? {
        failure { _ = try SafetensorsHeader(text: text, fileBytes: 8 + text.count + dataBytes, file: "f") }
    }

    /// Expects an error of class `header` about tensor `tensor` whose message has `rule`.
    private func expectRefusal(
        _ error: SiltError?, _ rule: String, tensor: String? = nil, range: Range<UInt64>? = nil,
        _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(error?.code == .header, sourceLocation: location)
        #expect(error?.file == "f", sourceLocation: location)
        #expect(error?.tensor == tensor, sourceLocation: location)
        #expect(error?.message.contains(rule) == true, "\(error?.message ?? "no error")", sourceLocation: location)
        #expect(error?.range != nil, sourceLocation: location)
        if let range { #expect(error?.range == range, sourceLocation: location) }
    }

    /// An entry with the given fields.
    private func entry(_ dtype: String, _ shape: String, _ offsets: String) -> String {
        #"{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":\#(offsets)}"#
    }

    @Test("more bytes than the cap")
    func cap() {
        let text = Array("{}".utf8) + [UInt8](repeating: 32, count: SafetensorsHeader.limit - 1)
        expectRefusal(error(text), "at most 100000000")
    }

    @Test("nothing at all")
    func empty() { expectRefusal(error(""), "does not begin with \"{\"") }

    @Test("white space before the object", arguments: [" {}", "\n{}", "\u{FEFF}{}", "[]", "\"{\""])
    func beginning(text: String) { expectRefusal(error(text), "does not begin with \"{\"", range: 8..<9) }

    @Test("text that is not JSON", arguments: ["{", "{}}", "{\"a\"}", "{'a':1}", "{} x", "{}\0"])
    func json(text: String) { expectRefusal(error(text), "not strict JSON") }

    @Test("a syntax error is located in the file")
    func jsonPlace() { expectRefusal(error("{\"a\":x}"), "not strict JSON", range: 13..<14) }

    @Test("text that is not UTF-8")
    func encoding() { expectRefusal(error(Array("{\"".utf8) + [0xFF] + Array("\":1}".utf8)), "not UTF-8") }

    @Test("nesting that is too deep")
    func depth() {
        expectRefusal(error("{\"a\":" + String(repeating: "[", count: 100_000)), "not strict JSON")
    }

    @Test("a tensor that appears twice")
    func duplicateTensor() {
        let tensor = entry("U8", "[0]", "[0,0]")
        expectRefusal(error("{\"a\":\(tensor),\"a\":\(tensor)}"), "twice")
    }

    @Test("metadata that appear twice")
    func duplicateMetadata() { expectRefusal(error(#"{"__metadata__":{},"__metadata__":{}}"#), "twice") }

    @Test("a field that appears twice")
    func duplicateField() {
        expectRefusal(error(#"{"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#), "twice")
    }

    @Test("metadata that are no object", arguments: ["[]", "1.5", "\"x\"", "1"])
    func metadataKind(value: String) { expectRefusal(error("{\"__metadata__\":\(value)}"), "not an object") }

    @Test("metadata that are not strings", arguments: ["null", "1", "{}", "[]", "true"])
    func metadataValue(value: String) { expectRefusal(error("{\"__metadata__\":{\"k\":\(value)}}"), "only strings") }

    @Test("an entry that is no object", arguments: ["null", "[]", "\"x\"", "1"])
    func entryKind(value: String) { expectRefusal(error("{\"a\":\(value)}"), "not an object", tensor: "a") }

    @Test(
        "an entry that lacks a field",
        arguments: [
            ("dtype", #"{"shape":[0],"data_offsets":[0,0]}"#), ("shape", #"{"dtype":"U8","data_offsets":[0,0]}"#),
            ("data_offsets", #"{"dtype":"U8","shape":[0]}"#),
        ])
    func missingField(field: String, entry: String) {
        expectRefusal(error("{\"a\":\(entry)}"), "has no \"\(field)\"", tensor: "a")
    }

    @Test("an entry with another field")
    func unknownField() {
        let text = #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"stride":[1]}}"#
        expectRefusal(error(text), "unknown field \"stride\"", tensor: "a")
    }

    @Test("an unknown dtype, with the known ones", arguments: ["F12", "f32", "", "BF16 "])
    func dtype(name: String) {
        let found = error("{\"a\":\(entry(name, "[0]", "[0,0]"))}")
        expectRefusal(found, "the dtype \"\(name)\" is unknown", tensor: "a")
        for dtype in DType.allCases { #expect(found?.message.contains(dtype.rawValue) == true) }
    }

    @Test("a dtype that is no string")
    func dtypeKind() {
        expectRefusal(error(#"{"a":{"dtype":1,"shape":[0],"data_offsets":[0,0]}}"#), "not a string", tensor: "a")
    }

    @Test("a shape that is no array", arguments: ["null", "{}", "1", "\"[1]\""])
    func shapeKind(shape: String) {
        expectRefusal(error("{\"a\":\(entry("U8", shape, "[0,0]"))}"), "not an array", tensor: "a")
    }

    @Test(
        "extents that are no integers from 0",
        arguments: ["-1", "1.0", "1e0", "null", "\"1\"", "[1]", "9223372036854775808", "true"])
    func extents(extent: String) {
        expectRefusal(
            error("{\"a\":\(entry("U8", "[\(extent)]", "[0,1]"))}", dataBytes: 1), "must contain only integers",
            tensor: "a")
    }

    @Test(
        "a size that overflows",
        arguments: [
            "[9223372036854775807]", "[4294967296,4294967296]", "[4294967296,4294967296,0]",
            "[3037000500,3037000500,8]",
        ])
    func overflow(shape: String) {
        expectRefusal(error("{\"a\":\(entry("F32", shape, "[0,0]"))}"), "overflows", tensor: "a")
    }

    @Test(
        "bits that make no whole bytes",
        arguments: [("F4", "[3]"), ("F4", "[]"), ("F6_E2M3", "[2,3]"), ("F6_E3M2", "[1]")])
    func bits(dtype: String, shape: String) {
        expectRefusal(
            error("{\"a\":\(entry(dtype, shape, "[0,2]"))}", dataBytes: 2), "not a whole number of bytes", tensor: "a")
    }

    @Test("offsets that are not two", arguments: ["[]", "[0]", "[0,0,0]"])
    func offsetCount(offsets: String) {
        expectRefusal(error("{\"a\":\(entry("U8", "[0]", offsets))}"), "not 2", tensor: "a")
    }

    @Test(
        "offsets that are no integers from 0",
        arguments: ["[-1,0]", "[0,1.0]", "[null,null]", "[0,18446744073709551616]"])
    func offsetValues(offsets: String) {
        expectRefusal(error("{\"a\":\(entry("U8", "[1]", offsets))}"), "must contain only integers", tensor: "a")
    }

    @Test("an end before the beginning")
    func reversed() {
        expectRefusal(error("{\"a\":\(entry("U8", "[4]", "[4,0]"))}", dataBytes: 4), "before they begin", tensor: "a")
    }

    @Test("offsets that span more or fewer bytes than the shape", arguments: ["[0,7]", "[0,9]", "[0,0]"])
    func size(offsets: String) {
        expectRefusal(error("{\"a\":\(entry("F32", "[2]", offsets))}", dataBytes: 9), "takes 8 bytes", tensor: "a")
    }

    @Test("data that do not begin at 0")
    func holeAtTheStart() {
        let text = "{\"a\":\(entry("U8", "[1]", "[1,2]"))}"
        let start = UInt64(8 + text.utf8.count)
        expectRefusal(error(text, dataBytes: 2), "belong to no tensor", tensor: "a", range: start..<start + 1)
    }

    @Test("a hole between tensors")
    func hole() {
        let text = "{\"a\":\(entry("U8", "[1]", "[0,1]")),\"b\":\(entry("U8", "[1]", "[2,3]"))}"
        let start = UInt64(8 + text.utf8.count)
        expectRefusal(error(text, dataBytes: 3), "belong to no tensor", tensor: "b", range: start + 1..<start + 2)
    }

    @Test("tensors that overlap")
    func overlap() {
        let text = "{\"a\":\(entry("U8", "[2]", "[0,2]")),\"b\":\(entry("U8", "[2]", "[1,3]"))}"
        let start = UInt64(8 + text.utf8.count)
        expectRefusal(error(text, dataBytes: 3), "overlap", tensor: "b", range: start + 1..<start + 3)
    }

    @Test("tensors that share all their bytes")
    func shared() {
        let text = "{\"a\":\(entry("U8", "[2]", "[0,2]")),\"b\":\(entry("U8", "[2]", "[0,2]"))}"
        expectRefusal(error(text, dataBytes: 2), "overlap", tensor: "b")
    }

    @Test("a tensor without bytes inside another")
    func emptyInside() {
        let text = "{\"a\":\(entry("U8", "[2]", "[0,2]")),\"b\":\(entry("U8", "[0]", "[1,1]"))}"
        expectRefusal(error(text, dataBytes: 2), "overlap", tensor: "b")
    }

    @Test("bytes after the data")
    func trailing() {
        let text = "{\"a\":\(entry("U8", "[1]", "[0,1]"))}"
        let end = UInt64(8 + text.utf8.count + 1)
        expectRefusal(error(text, dataBytes: 4), "3 bytes after the data", range: end..<end + 3)
        expectRefusal(error("{}", dataBytes: 1), "1 bytes after the data")
    }

    @Test("fewer bytes than the data: the file is truncated")
    func truncated() {
        let text = "{\"a\":\(entry("U8", "[4]", "[0,4]"))}"
        #expect(error(text, dataBytes: 3)?.code == .truncated)
        #expect(error(text, dataBytes: 4) == nil)
    }

    @Test("offsets near the largest integer do not crash")
    func hugeOffsets() {
        let max = Int.max
        expectRefusal(error("{\"a\":\(entry("U8", "[1]", "[\(max - 1),\(max)]"))}"), "belong to no tensor", tensor: "a")
        let bytes = max / 8
        let tensor = entry("U8", "[\(bytes)]", "[0,\(bytes)]")
        #expect(error("{\"a\":\(tensor)}")?.code == .truncated)
        // The header's own length makes the end overflow.
        let texts = (0..<8).map { "\"\($0)\":" + entry("U8", "[\(bytes)]", "[\(bytes * $0),\(bytes * ($0 + 1))]") }
        #expect(error("{\(texts.joined(separator: ","))}")?.code == .truncated)
    }

    @Test("every cut and every changed byte is read or refused, and nothing crashes")
    func damage() {
        let text = Array(
            "{\"__metadata__\":{\"k\":\"v\"},\"a\":\(entry("BF16", "[2,3]", "[0,12]")),\"b\":\(entry("F4", "[4]", "[12,14]"))} "
                .utf8)
        #expect(error(text, dataBytes: 14) == nil)
        for count in 0..<text.count - 1 { #expect(error(Array(text[..<count]), dataBytes: 14) != nil) }
        var generator = SeededGenerator(seed: 7)
        for position in text.indices {
            for _ in 0..<8 {
                var changed = text
                changed[position] = UInt8.random(in: 0...255, using: &generator)
                _ = error(changed, dataBytes: 14)
            }
        }
    }
}
