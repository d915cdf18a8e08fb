import Safetensors
import TensorTypes
import Testing

@Suite("Headers that are read")
struct HeaderTests {
    private func header(_ text: String, dataBytes: Int) throws -> SafetensorsHeader {
        let text = Array(text.utf8)
        return try SafetensorsHeader(text: text, fileBytes: 8 + text.count + dataBytes, file: "f")
    }

    @Test("tensors, metadata and the text")
    func contents() throws {
        let text = #"{"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}  "#
        let header = try header(text, dataBytes: 8)
        #expect(header.metadata == ["format": "pt"])
        #expect(header.text == Array(text.utf8))
        #expect(header.dataStart == 8 + text.utf8.count)
        let info = try #require(TensorInfo(dtype: .f32, shape: [2, 1]))
        #expect(header.entries == [try #require(header["w"])])
        #expect(header["w"]?.info == info)
        #expect(header["w"]?.range == 0..<8)
        #expect(header["v"] == nil)
        #expect(header["__metadata__"] == nil)
    }

    @Test("a file without tensors", arguments: ["{}", "{}      ", "{ }\n", #"{"__metadata__":{}}"#])
    func empty(text: String) throws {
        #expect(try header(text, dataBytes: 0).entries.isEmpty)
        #expect(try header(text, dataBytes: 0).metadata == (text.contains("meta") ? [:] : nil))
    }

    @Test("null for the metadata is none")
    func nullMetadata() throws {
        let header = try header(#"{"__metadata__":null}"#, dataBytes: 0)
        #expect(header.metadata == nil && header.entries.isEmpty)
    }

    @Test("scalars, and tensors without elements anywhere between others")
    func scalarsAndEmpty() throws {
        let text = #"""
            {"s":{"dtype":"BOOL","shape":[],"data_offsets":[0,1]},"z":{"dtype":"F64","shape":[0,9],"data_offsets":[1,1]},
            "y":{"dtype":"F32","shape":[0],"data_offsets":[1,1]},"e":{"dtype":"U8","shape":[2],"data_offsets":[1,3]},
            "x":{"dtype":"U8","shape":[0],"data_offsets":[3,3]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}
            """#
        #expect(try header(text, dataBytes: 3).entries.map(\.name) == ["a", "s", "y", "z", "e", "x"])
    }

    @Test("entries stand in the order of their data, whatever the text's order")
    func order() throws {
        let text =
            #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[2,3]},"b":{"dtype":"F4","shape":[2],"data_offsets":[1,2]},"c":"#
            + #"{"data_offsets":[0,1],"shape":[1],"dtype":"I8"}}"#
        #expect(try header(text, dataBytes: 3).entries.map(\.name) == ["c", "b", "a"])
    }

    @Test("names need not be pretty")
    func names() throws {
        let text =
            #"{"":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a\nb\"\u0000":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#
        #expect(try header(text, dataBytes: 2).entries.map(\.name) == ["", "a\nb\"\0"])
    }

    @Test("every dtype is read", arguments: DType.allCases)
    func dtypes(dtype: DType) throws {
        let bytes = dtype.bits
        let text = "{\"t\":{\"dtype\":\"\(dtype.rawValue)\",\"shape\":[8],\"data_offsets\":[0,\(bytes)]}}"
        #expect(try header(text, dataBytes: bytes)["t"]?.info.dtype == dtype)
    }
}
