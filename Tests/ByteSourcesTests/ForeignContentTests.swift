import ByteSources
import TensorTypes
import Testing

@Suite("Content of another kind")
struct ForeignContentTests {
    private func what(_ bytes: [UInt8], size: Int? = nil, tellsPlainText: Bool = true) -> String? {
        ForeignContent(start: bytes, size: size ?? bytes.count, tellsPlainText: tellsPlainText)?.what
    }

    @Test("plain text is told only where text is not expected")
    func plainText() {
        #expect(what(Array("Not Found".utf8))?.contains("Not Found") == true)
        #expect(what(Array("Not Found".utf8), tellsPlainText: false) == nil)
        #expect(what(Array("<html>".utf8), tellsPlainText: false)?.contains("HTML") == true)
    }

    @Test("a long line is cut, and control characters make no text")
    func shown() {
        let long = what([UInt8](repeating: UInt8(ascii: "x"), count: 5_000))
        #expect((long?.utf8.count ?? 0) < 100)
        #expect(what(Array("a\u{1B}[31mred".utf8)) == nil)
        #expect(what([0xFF, 0xFE, 0x41, 0x00]) == nil)
    }

    @Test("a text whose last character the window cuts is a text")
    func cut() {
        let text = Array(String(repeating: "é", count: 4_000).utf8)
        #expect(what([UInt8(ascii: "a")] + text)?.hasPrefix("text") == true)
    }

    @Test("nothing is made of any single byte, or of a short safetensors file")
    func unknown() {
        for byte in UInt8.min...UInt8.max where !(0x20..<0x7F).contains(byte) { _ = what([byte]) }
        for length in [UInt64(0x0280), 0x0380, 0x81, 0x8B1F] {
            var bytes: [UInt8] = []
            bytes.appendLittleEndian(length)
            let found = what(bytes + Array("{\"a\":{}}".utf8) + [UInt8](repeating: 1, count: 40))
            #expect(found == nil || length == 0x8B1F)
        }
    }

    @Test("any start of any kind of file is taken without a trap", arguments: 1...20)
    func random(seed: UInt64) {
        var state = seed
        for _ in 0..<2_000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int(state % 40) {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes.append(UInt8(truncatingIfNeeded: state >> 56) & (seed % 2 == 0 ? 0xFF : 0x8F))
            }
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            _ = what(bytes, size: Int(state >> 32))
        }
    }
}
