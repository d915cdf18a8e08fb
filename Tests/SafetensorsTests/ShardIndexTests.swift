import Safetensors
import TensorTypes
import TestSupport
import Testing

@Suite("Shard indices")
struct ShardIndexTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func opening(_ text: String) throws -> SiltError? {
        try directory.write(Array(text.utf8), to: "i")
        return failure { _ = try ShardIndex(path: directory("i")) }
    }

    @Test("the map is read, other fields are ignored")
    func contents() throws {
        let text =
            #"{"metadata":{"total_size":12.5,"x":[]},"weight_map":{"b":"2.safetensors","a":"d/1.safetensors","c":"2.safetensors"}}"#
        #expect(try opening(text) == nil)
        let index = try ShardIndex(path: directory("i"))
        #expect(index.weightMap == ["b": "2.safetensors", "a": "d/1.safetensors", "c": "2.safetensors"])
        #expect(index.files == ["2.safetensors", "d/1.safetensors"])
    }

    @Test(
        "text that is not strict JSON",
        arguments: ["", "{", "{\"weight_map\":{}} x", "{\"weight_map\":{\"a\":\"b\",\"a\":\"c\"}}"])
    func json(text: String) throws {
        let error = try opening(text)
        #expect(error?.code == .header)
        #expect(error?.file == directory("i"))
    }

    @Test("a byte order mark is passed over")
    func mark() throws {
        let text = #"{"weight_map":{"a":"1.safetensors"}}"#
        #expect(try opening("\u{FEFF}" + text) == nil)
        #expect(try ShardIndex(path: directory("i")).hasByteOrderMark)
        #expect(try opening(text) == nil)
        #expect(try !ShardIndex(path: directory("i")).hasByteOrderMark)
    }

    @Test("no map, or no object", arguments: ["{}", "[]", "1", "{\"weight_map\":[]}", "{\"weight_map\":null}"])
    func map(text: String) throws { #expect(try opening(text)?.code == .header) }

    @Test("a file that is no string", arguments: ["1", "null", "[]"])
    func value(file: String) throws {
        let error = try opening("{\"weight_map\":{\"t\":\(file)}}")
        #expect(error?.code == .header && error?.tensor == "t")
    }

    @Test(
        "a file outside the directory",
        arguments: ["../x", "/etc/passwd", "a/../../b", "", "a\\\\b", "a\\u0000b", "a//b"])
    func path(file: String) throws {
        let error = try opening("{\"weight_map\":{\"t\":\"\(file)\"}}")
        #expect(error?.code == .header && error?.tensor == "t")
    }

    @Test("an absent index is missing input")
    func absent() { #expect(code { _ = try ShardIndex(path: directory("absent")) } == .inputMissing) }
}
