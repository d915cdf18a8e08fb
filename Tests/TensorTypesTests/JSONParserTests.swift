import TensorTypes
import TestSupport
import Testing

@Suite("JSON: the strict parser")
struct JSONParserTests {
    private func parse(_ text: String) throws(JSONError) -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

    private func error(_ text: String) -> JSONError? { error(Array(text.utf8)) }

    private func error(_ bytes: [UInt8]) -> JSONError? {
        do {
            _ = try JSONValue(parsing: bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test("every kind of value is read")
    func values() throws {
        let value = try parse(" { \"a\" : [ null , true , false , 1 , -2 , 1.5 , \"x\" , { } , [ ] ] } \n\t\r")
        let expected: [JSONValue] = [
            .null, .bool(true), .bool(false), .integer(1), .integer(-2), .number(1.5), .string("x"), .object([]),
            .array([]),
        ]
        #expect(value == .members(["a": .array(expected)]))
        #expect(value["a"] == .array(expected))
        #expect(value["b"] == nil)
    }

    @Test("members keep their order")
    func order() throws {
        #expect(try parse(#"{"b":1,"a":2}"#) == .members(["b": .integer(1), "a": .integer(2)]))
    }

    @Test("integers are integers, all else is a number")
    func numbers() throws {
        #expect(try parse("0") == .integer(0))
        #expect(try parse("9223372036854775807") == .integer(.max))
        #expect(try parse("-9223372036854775808") == .integer(.min))
        #expect(try parse("9223372036854775808") == .number(9_223_372_036_854_775_808))
        #expect(try parse("1.0") == .number(1))
        #expect(try parse("1e2") == .number(100))
        #expect(try parse("1E+2") == .number(100))
        #expect(try parse("25e-1") == .number(2.5))
    }

    @Test(
        "malformed numbers are refused",
        arguments: [
            "01", "-01", "00", "-", "+1", ".5", "1.", "1.e5", "1e", "1e+", "0x10", "NaN", "Infinity", "-Infinity",
            "1_0",
        ])
    func malformedNumbers(text: String) { #expect(error(text) != nil) }

    @Test("a number that no double holds is refused", arguments: ["1e999", "-1e999"])
    func hugeNumbers(text: String) { #expect(error(text)?.reason == "a number out of range") }

    @Test("escapes are read")
    func escapes() throws {
        #expect(try parse(#""\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC""#) == .string("\"\\/\u{8}\u{C}\n\r\tA\u{E9}\u{20AC}"))
        #expect(try parse(#""\uD83D\uDE00""#) == .string("\u{1F600}"))
        #expect(try parse(#""\uDBFF\uDFFF""#) == .string("\u{10FFFF}"))
        #expect(try parse(#""\u0000""#) == .string("\0"))
    }

    @Test(
        "halves of surrogate pairs are refused",
        arguments: [
            #""\uD83D""#, #""\uDE00""#, #""\uD83D\n""#, #""\uD83Dx""#, #""\uD83D\uD83D""#, #""\uD83D\u0041""#,
            #""\uD83D\"#,
            #""\uD83D\u"#, #""\uDE00\uD83D""#,
        ])
    func surrogates(text: String) { #expect(error(text) != nil) }

    @Test(
        "malformed strings are refused",
        arguments: [#"""#, #""a"#, #""\"#, #""\x""#, #""\u12""#, #""\u12G4""#, "\"\n\"", "\"\0\"", "'a'", #""\u+123""#])
    func malformedStrings(text: String) { #expect(error(text) != nil) }

    @Test(
        "text that is not UTF-8 is refused",
        arguments: [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0x80]]
            as [[UInt8]])
    func encoding(bytes: [UInt8]) { #expect(error([0x22] + bytes + [0x22]) != nil) }

    @Test(
        "malformed structure is refused",
        arguments: [
            "", " ", "{", "}", "[", "]", "{]", "[}", "[1,]", "[,1]", "[1 2]", "{,}", #"{"a"}"#, #"{"a":}"#,
            #"{"a":1,}"#,
            #"{"a" 1}"#, "{a:1}", "{1:2}", "tru", "nul", "True", "nulll", "[1]x", "1 2", "\u{FEFF}1", "//x\n1", "{}{}",
        ])
    func structure(text: String) { #expect(error(text) != nil) }

    @Test("a key that appears twice is refused, at any depth")
    func duplicates() {
        #expect(error(#"{"a":1,"a":1}"#)?.offset == 7)
        #expect(error(#"[{"b":{"a":1,"c":2,"a":3}}]"#) != nil)
        #expect(error(#"{"a":1,"\u0061":2}"#) != nil)
        #expect(error(#"{"a":{"a":1}}"#) == nil)
    }

    @Test("depth is bounded")
    func depth() throws {
        let limit = JSONValue.depthLimit
        for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
            func nested(_ depth: Int) -> String {
                String(repeating: open, count: depth - 1) + (open == "[" ? "[]" : "{}")
                    + String(repeating: close, count: depth - 1)
            }
            #expect(error(nested(limit)) == nil)
            #expect(error(nested(limit + 1)) != nil)
            #expect(error(String(repeating: open, count: 100_000)) != nil)
        }
    }

    @Test("errors tell the offset")
    func offsets() {
        #expect(error("[1, x]")?.reason == "a byte that cannot start a value")
        #expect(error("[1, x]")?.offset == 4)
        #expect(error("[1")?.offset == 2)
        #expect(error("[1] 2")?.offset == 4)
    }

    /// A text with every construct of the grammar.
    private static let sample =
        #"{"a":[0,-1.25e-3,true,false,null,"x\n\uD83D\uDE00é"],"__metadata__":{"k":"v"},"t":{"shape":[2,3],"d":[0,6]}} "#

    @Test("a text that is cut anywhere is refused, and nothing crashes")
    func truncations() throws {
        let bytes = Array(Self.sample.utf8)
        #expect(error(bytes) == nil)
        // The last byte is a space, which may go.
        for count in 0..<bytes.count - 1 { #expect(error(Array(bytes[..<count])) != nil, "cut at \(count)") }
    }

    @Test("any byte in any place is read or refused, and nothing crashes")
    func mutations() {
        let bytes = Array(Self.sample.utf8)
        for position in bytes.indices {
            for value in [0, 0x22, 0x2C, 0x30, 0x39, 0x3A, 0x5C, 0x5B, 0x5D, 0x7B, 0x7D, 0x80, 0xFF] as [UInt8] {
                var changed = bytes
                changed[position] = value
                if let error = error(changed) { #expect((0...bytes.count).contains(error.offset)) }
            }
        }
    }

    @Test("random bytes are read or refused, and nothing crashes", arguments: 1...4)
    func noise(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let alphabet = Array(#"{}[]:,"\u0123456789abcdefDnrt-+.eE "#.utf8) + [0xC3, 0xA9, 0x80]
        for _ in 0..<5_000 {
            let count = Int.random(in: 0...24, using: &generator)
            let bytes = (0..<count).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }
            if let error = error(bytes) { #expect((0...bytes.count).contains(error.offset)) }
        }
    }
}
