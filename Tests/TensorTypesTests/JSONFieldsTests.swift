import TensorTypes
import TestSupport
import Testing

@Suite("Fields of JSON objects")
struct JSONFieldsTests {
    private static let text =
        #"{"s": "a", "i": 3, "d": 0.5, "b": true, "n": null, "l": ["x", "y"], "m": [1, 0.5], "o": {"k": 1}}"#

    private func fields(_ owner: JSONFields.Owner) throws -> JSONFields {
        try JSONFields(JSONValue(parsing: Array(Self.text.utf8)), of: owner)
    }

    private func message(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return (error as? SiltError).map { "\($0.code): \($0.message)" }
        }
    }

    @Test("members have their types", arguments: [JSONFields.Owner.file("f"), .format(.manifest, place: "p")])
    func types(owner: JSONFields.Owner) throws {
        let fields = try fields(owner)
        #expect(try fields.string("s") == "a" && fields.integer("i") == 3 && fields.flag("b") == true)
        #expect(try fields.number("d") == 0.5 && fields.number("i") == 3)
        #expect(try fields.strings("l") == ["x", "y"] && fields.numbers("m") == [1, 0.5])
        #expect(try fields.object("o")?.map(\.key) == ["k"] && fields.array("l")?.count == 2)
        #expect(try fields.string("absent") == nil && fields.numbers("absent") == nil && !fields.has("absent"))
    }

    @Test("null is absent in configurations, and a value in formats")
    func null() throws {
        let (file, format) = (try fields(.file("f")), try fields(.format(.manifest, place: "p")))
        #expect(try file.string("n") == nil && file.has("n"))
        #expect(message { _ = try format.string("n") } == "manifest: p.n must be a string, found null")
    }

    @Test("errors are in the words of whose object it is")
    func errors() throws {
        let (file, format) = (try fields(.file("f")), try fields(.format(.manifest, place: "p")))
        #expect(message { _ = try file.string("i") } == "header: \"i\" is a number, not a string")
        #expect(message { _ = try file.strings("m") } == "header: \"m\" is a number, not an array of strings")
        #expect(message { _ = try format.integer("d") } == "manifest: p.d must be an integer, found a number")
        #expect(message { _ = try format.numbers("l") } == "manifest: p.l must be a number, found a string")
        #expect(format.wrong("q", "a string", nil).message == "p.q must be a string, found nothing")
        #expect(
            message { _ = try JSONFields(.array([]), of: .file("f")) }
                == "header: the configuration is an array, not an object")
        #expect(
            message { _ = try JSONFields(nil, of: .format(.manifest, place: "p")) }
                == "manifest: p must be an object, found nothing")
    }

    @Test("what is taken out is gone")
    func removal() throws {
        var fields = try fields(.format(.manifest, place: "p"))
        #expect(fields.remove("s") == .string("a") && fields.remove("s") == nil && !fields.has("s"))
        #expect(Set(fields.names) == ["i", "d", "b", "n", "l", "m", "o"])
    }
}

@Suite("Rounding to digits")
struct DigitsTests {
    @Test(
        "the nearest number of so many digits",
        arguments: [
            (0.123456, 4, 0.1235), (-0.123456, 4, -0.1235), (98_765, 3, 98_800), (9_999.6, 4, 10_000), (0, 4, 0),
            (1e-101, 4, 1e-101), (.infinity, 3, .infinity),
        ])
    func rounding(value: Double, digits: Int, rounded: Double) { #expect(value.rounded(digits: digits) == rounded) }

    @Test("the binary logarithm", arguments: [1e-300, 0.1, 0.7, 1, 1.5, 3, 1_024, 1e300])
    func logarithm(value: Double) {
        let natural = Elementary.log(value) / 0.693_147_180_559_945_3
        #expect((Elementary.log2(value) - natural).magnitude < 2e-9)
        #expect(Elementary.log2(1_024) == 10)
    }
}
