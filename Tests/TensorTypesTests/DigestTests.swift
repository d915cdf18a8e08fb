import TensorTypes
import Testing

@Suite("Digests, checksums and hexadecimal text")
struct DigestTests {
    @Test("XXH3-128 of nothing")
    func empty() {
        #expect(Digest128(of: []).hex == "99aa06d3014798d86001c324468d497f")
        let digest = unsafe Digest128(of: UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(digest.hex == "99aa06d3014798d86001c324468d497f")
        #expect(Digest128(pieces: []).hex == "99aa06d3014798d86001c324468d497f")
    }

    @Test("XXH3-64 of nothing")
    func emptyChecksum() { #expect(Checksum64.of([]) == 0x2D06_8005_38D3_94C2) }

    @Test("the text is the canonical bytes, and comes back")
    func text() throws {
        let digest = Digest128(high: 0x0011_2233_4455_6677, low: 0x8899_AABB_CCDD_EEFF)
        #expect(digest.hex == "00112233445566778899aabbccddeeff")
        #expect(digest.bytes == (0..<16).map { UInt8($0 * 17) })
        #expect(Digest128(hex: digest.hex) == digest)
    }

    @Test(
        "other texts are no digests",
        arguments: [
            "", "00", "99AA06D3014798D86001C324468D497F", "99aa06d3014798d86001c324468d497",
            "g9aa06d3014798d86001c324468d497f",
            "99aa06d3014798d86001c324468d497f0", "99aa06d3014798d86001c324468d4é",
        ])
    func malformed(text: String) { #expect(Digest128(hex: text) == nil) }

    @Test("the tree digest is the digest of the digests")
    func tree() {
        let pieces = [Digest128(of: [1, 2, 3]), Digest128(of: [4])]
        #expect(Digest128(pieces: pieces) == Digest128(of: pieces[0].bytes + pieces[1].bytes))
        #expect(Digest128(pieces: pieces) != Digest128(pieces: pieces.reversed()))
    }

    @Test("hexadecimal text is lower case, two digits a byte")
    func hex() {
        #expect(Hex.string([0, 0x0F, 0xA5, 0xFF]) == "000fa5ff")
        #expect(Hex.bytes("000fa5ff") == [0, 0x0F, 0xA5, 0xFF])
        #expect(Hex.bytes("") == [])
        for text in ["0", "0g", "A5", " 0", "0x"] { #expect(Hex.bytes(text) == nil) }
    }
}

@Suite("Little-endian bytes")
struct ByteCursorTests {
    @Test("integers come back")
    func integers() {
        var bytes: [UInt8] = []
        bytes.appendLittleEndian(UInt8(0xAB))
        bytes.appendLittleEndian(UInt32(0x0102_0304))
        bytes.appendLittleEndian(Int16(-2))
        bytes.appendLittleEndian(UInt64.max - 1)
        #expect(Array(bytes[..<5]) == [0xAB, 4, 3, 2, 1])
        var cursor = ByteCursor(bytes)
        #expect(cursor.integer(UInt8.self) == 0xAB)
        #expect(cursor.integer(UInt32.self) == 0x0102_0304)
        #expect(cursor.integer(Int16.self) == -2)
        #expect(cursor.integer(UInt64.self) == UInt64.max - 1)
        #expect(cursor.remaining == 0)
    }

    @Test("the end is nil, and nothing is consumed")
    func end() {
        var cursor = ByteCursor([1, 2, 3])
        #expect(cursor.integer(UInt32.self) == nil)
        #expect(cursor.take(4) == nil)
        #expect(cursor.take(-1) == nil)
        #expect(cursor.take(.max) == nil)
        #expect(cursor.position == 0)
        #expect(cursor.take(3) == [1, 2, 3])
        #expect(cursor.take(0) == [])
        #expect(ByteCursor([1], from: 5).remaining == 0)
    }
}

@Suite("Errors")
struct SiltErrorTests {
    @Test("the text has class, places, message and advice")
    func text() {
        let error = SiltError(.header, "broken", file: "f", tensor: "t", range: 1..<9, advice: "mend it")
        #expect(error.description == #"header: f: tensor "t": bytes 1..<9: broken (mend it)"#)
        #expect(SiltError(.io, "broken").description == "io: broken")
    }

    @Test("places that are known stay")
    func places() {
        let error = SiltError(.header, "broken", file: "inner").at(file: "outer", tensor: "t")
        #expect(error.file == "inner" && error.tensor == "t")
    }

    @Test("the classes of the format have its names")
    func classes() {
        let names = [
            "truncated", "header", "not-silt", "version", "extension", "checksum", "manifest", "path", "coverage",
            "limit", "tables",
            "chunk", "base-missing", "base-dtype", "base-shape", "base-content", "result",
        ]
        for name in names { #expect(SiltError.Code.all.contains { $0.name == name }, "\(name)") }
    }
}
