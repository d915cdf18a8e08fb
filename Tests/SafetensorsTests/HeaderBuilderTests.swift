import Safetensors
import TensorTypes
import TestSupport
import Testing

@Suite("Headers that are made")
struct HeaderBuilderTests {
    private func info(_ dtype: DType, _ shape: [Int]) throws -> TensorInfo {
        try #require(TensorInfo(dtype: dtype, shape: shape))
    }

    @Test("the text is that of the reference writer")
    func text() throws {
        let made = try SafetensorsHeaderBuilder.header(
            for: [("b", info(.f32, [2])), ("a", info(.bf16, [1, 3])), ("c", info(.i64, [])), ("A", info(.f32, [1]))],
            metadata: ["format": "pt"])
        let expected =
            #"{"__metadata__":{"format":"pt"},"c":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"#
            + #""A":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]},"#
            + #""a":{"dtype":"BF16","shape":[1,3],"data_offsets":[20,26]}}"#
        let text = String(decoding: made.text, as: UTF8.self)
        #expect(text.hasPrefix(expected))
        #expect(text.dropFirst(expected.count).allSatisfy { $0 == " " })
        #expect(made.text.count - expected.utf8.count < 8)
        #expect(made.offsets == ["c": 0..<8, "A": 8..<12, "b": 12..<20, "a": 20..<26])
    }

    @Test("the data are aligned to 8 bytes, whatever the names", arguments: 0...8)
    func alignment(length: Int) throws {
        let name = String(repeating: "n", count: length)
        #expect(try SafetensorsHeaderBuilder.header(for: [(name, info(.u8, [1]))], metadata: nil).text.count % 8 == 0)
    }

    @Test("no tensors make an empty object")
    func empty() throws {
        #expect(try SafetensorsHeaderBuilder.header(for: [], metadata: nil).text == Array("{}      ".utf8))
    }

    @Test("a name that appears twice is refused")
    func duplicate() throws {
        let tensor = try info(.u8, [1])
        let error = failure {
            _ = try SafetensorsHeaderBuilder.header(for: [("a", tensor), ("a", tensor)], metadata: nil)
        }
        #expect(error?.code == .header && error?.tensor == "a")
    }

    @Test("a tensor that readers would take for metadata is refused")
    func metadataName() throws {
        let tensor = try info(.u8, [1])
        #expect(
            code { _ = try SafetensorsHeaderBuilder.header(for: [("__metadata__", tensor)], metadata: nil) } == .header)
    }

    @Test("sizes that add up to too much are refused")
    func overflow() throws {
        let tensor = try info(.u8, [.max / 8])
        let tensors = (0..<9).map { ("\($0)", tensor) }
        #expect(code { _ = try SafetensorsHeaderBuilder.header(for: tensors, metadata: nil) } == .header)
    }

    @Test("a header over the cap is refused")
    func cap() {
        let metadata = ["k": String(repeating: "v", count: SafetensorsHeader.limit)]
        #expect(code { _ = try SafetensorsHeaderBuilder.header(for: [], metadata: metadata) } == .header)
    }

    @Test("random headers come back", arguments: 1...30)
    func roundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var tensors: [(name: String, info: TensorInfo)] = []
        for index in 0..<Int.random(in: 0...40, using: &generator) {
            let dtype = DType.allCases.randomElement(using: &generator) ?? .f32
            var shape = (0..<Int.random(in: 0...3, using: &generator)).map { _ in
                Int.random(in: 0...5, using: &generator)
            }
            if dtype.bits < 8 { shape.append(4) }
            let end = ["", "\"\\\n", "é", "/", "\u{1F600}\u{1}"].randomElement(using: &generator) ?? ""
            tensors.append(("layer.\(index)" + end, try info(dtype, shape)))
        }
        let metadata = Bool.random(using: &generator) ? ["a\"": "b\n", "c": ""] : nil
        let made = try SafetensorsHeaderBuilder.header(for: tensors.shuffled(using: &generator), metadata: metadata)
        #expect(try made.text == SafetensorsHeaderBuilder.header(for: tensors, metadata: metadata).text)
        let bytes = tensors.reduce(8 + made.text.count) { $0 + $1.info.bytes }
        let header = try SafetensorsHeader(text: made.text, fileBytes: bytes, file: "f")
        #expect(header.metadata == metadata)
        #expect(header.entries.count == tensors.count)
        for (name, info) in tensors {
            #expect(header[name]?.info == info)
            #expect(header[name]?.range == made.offsets[name])
        }
        let alignments = header.entries.filter { !$0.range.isEmpty }.map(\.info.dtype.elementBytes)
        #expect(alignments == alignments.sorted(by: >))
    }
}
