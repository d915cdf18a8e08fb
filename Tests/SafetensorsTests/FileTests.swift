import Safetensors
import TensorTypes
import TestSupport
import Testing

@Suite("Safetensors files")
struct FileTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func info(_ dtype: DType, _ shape: [Int]) throws -> TensorInfo {
        try #require(TensorInfo(dtype: dtype, shape: shape))
    }

    /// The bytes of a file with the header `text`, a length field of `length` (absent: the right one), and data.
    private func file(_ text: String, length: UInt64? = nil, data: [UInt8] = []) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendLittleEndian(length ?? UInt64(text.utf8.count))
        return bytes + Array(text.utf8) + data
    }

    private func opening(_ bytes: [UInt8]) throws -> SiltError? {
        try directory.write(bytes, to: "f")
        return failure { _ = try SafetensorsFile(directory("f")) }
    }

    @Test("tensors that are written come back", arguments: 1...10)
    func roundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let tensors = try (0..<12).map { index in
            let dtype = DType.allCases.randomElement(using: &generator) ?? .f32
            let info = try info(dtype, [Int.random(in: 0...9, using: &generator), 4])
            return (
                name: "t\(index)", info: info,
                bytes: (0..<info.bytes).map { _ in UInt8.random(in: 0...255, using: &generator) }
            )
        }
        try SafetensorsWriter.write(tensors, metadata: ["format": "pt"], to: directory("f"))
        let file = try SafetensorsFile(directory("f"))
        #expect(file.path == directory("f"))
        #expect(file.header.metadata == ["format": "pt"])
        #expect(file.header.entries.count == tensors.count)
        for (name, info, bytes) in tensors {
            #expect(file.header[name]?.info == info)
            #expect(try file.bytes(of: name) == bytes)
        }
    }

    @Test("parts of the data are read")
    func parts() throws {
        try SafetensorsWriter.write([("a", info(.u8, [6]), [1, 2, 3, 4, 5, 6])], to: directory("f"))
        let file = try SafetensorsFile(directory("f"))
        var bytes = [UInt8](repeating: 0, count: 3)
        try unsafe bytes.withUnsafeMutableBytes { try unsafe file.read(2..<5, into: $0) }
        #expect(bytes == [3, 4, 5])
    }

    @Test("a tensor that is not there is said to be missing")
    func noTensor() throws {
        try SafetensorsWriter.write([], to: directory("f"))
        let file = try SafetensorsFile(directory("f"))
        #expect(code { _ = try file.bytes(of: "a") } == .noMatch)
    }

    @Test("fewer than 8 bytes are truncated", arguments: 0...7)
    func short(count: Int) throws { #expect(try opening([UInt8](repeating: 0, count: count))?.code == .truncated) }

    @Test("a length over the cap is refused, however short the file", arguments: [100_000_001, UInt64(1) << 63, .max])
    func cap(length: UInt64) throws {
        let error = try opening(file("{}", length: length))
        #expect(error?.code == .header)
        #expect(error?.range == 0..<8)
    }

    @Test("a length beyond the end of the file is truncated", arguments: [3, 100_000_000])
    func beyond(length: UInt64) throws { #expect(try opening(file("{}", length: length))?.code == .truncated) }

    @Test("a length of 0 is refused")
    func zeroLength() throws { #expect(try opening(file(""))?.code == .header) }

    @Test("an absent file is missing input")
    func absent() { #expect(code { _ = try SafetensorsFile(directory("absent")) } == .inputMissing) }

    @Test("a file cut anywhere is refused; it is truncated once its header is whole")
    func cuts() throws {
        let text = #"{"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]}}"#
        let bytes = file(text, data: [1, 2, 3, 4, 5])
        #expect(try opening(bytes) == nil)
        for count in 0..<bytes.count {
            #expect(try opening(Array(bytes[..<count]))?.code == .truncated, "cut at \(count)")
        }
        #expect(try opening(bytes + [0])?.code == .header)
    }

    @Test("bytes that do not fit their shape are not written")
    func wrongBytes() throws {
        let tensor = try info(.f32, [2])
        #expect(code { try SafetensorsWriter.write([("a", tensor, [1])], to: directory("f")) } == .usage)
        #expect(directory.read("f") == nil)
    }

    @Test("a file is replaced only if that is asked for")
    func replacing() throws {
        try directory.write([1], to: "f")
        #expect(code { try SafetensorsWriter.write([], to: directory("f")) } == .cannotCreate)
        #expect(directory.read("f") == [1])
        try SafetensorsWriter.write([], to: directory("f"), replacing: true)
        #expect(directory.read("f") == file("{}      "))
    }
}
