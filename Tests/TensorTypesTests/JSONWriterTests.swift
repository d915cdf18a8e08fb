import TensorTypes
import TestSupport
import Testing

@Suite("JSON: the writer")
struct JSONWriterTests {
    private func text(_ value: JSONValue, pretty: Bool = false) -> String {
        String(decoding: value.serialized(pretty: pretty), as: UTF8.self)
    }

    @Test("compact text has no white space")
    func compact() {
        let value: JSONValue = .members(["b": .array([.integer(1), .null]), "a": .members([:]), "c": .array([])])
        #expect(text(value) == #"{"b":[1,null],"a":{},"c":[]}"#)
    }

    @Test("pretty text is indented")
    func pretty() {
        #expect(
            text(.members(["a": .array([.integer(1)]), "b": .array([])]), pretty: true)
                == "{\n  \"a\": [\n    1\n  ],\n  \"b\": []\n}")
    }

    @Test("strings are escaped only where they must be")
    func strings() {
        #expect(text(.string("a\"\\/\n\r\t\u{1}\u{7F}é\u{1F600}")) == #""a\"\\/\n\r\t\u0001"# + "\u{7F}é\u{1F600}\"")
    }

    @Test("what has no text in JSON becomes null", arguments: [Double.nan, .infinity, -.infinity])
    func notFinite(number: Double) { #expect(text(.number(number)) == "null") }

    @Test("random values come back", arguments: 1...8)
    func roundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let value = Self.value(depth: 0, using: &generator)
            #expect(try JSONValue(parsing: value.serialized()) == value)
            #expect(try JSONValue(parsing: value.serialized(pretty: true)) == value)
        }
    }

    private static func value(depth: Int, using generator: inout SeededGenerator) -> JSONValue {
        switch Int.random(in: 0..<(depth < 5 ? 8 : 6), using: &generator) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &generator))
        case 2: return .integer(Int(truncatingIfNeeded: generator.next()))
        // Numbers that are whole would come back as integers.
        case 3: return .number(Double(Int.random(in: -1_000...1_000, using: &generator)) + 0.25)
        case 4, 5: return .string(string(using: &generator))
        case 6:
            return .array(
                (0..<Int.random(in: 0...3, using: &generator)).map { _ in value(depth: depth + 1, using: &generator) })
        default:
            return .object(
                (0..<Int.random(in: 0...3, using: &generator)).map { index in
                    .init("\(index)" + string(using: &generator), value(depth: depth + 1, using: &generator))
                })
        }
    }

    private static func string(using generator: inout SeededGenerator) -> String {
        var scalars = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...8, using: &generator) {
            let limit: UInt32 = [0x30, 0x80, 0x800, 0x11_0000][Int.random(in: 0..<4, using: &generator)]
            if let scalar = Unicode.Scalar(UInt32.random(in: 0..<limit, using: &generator)) { scalars.append(scalar) }
        }
        return String(scalars)
    }
}
