import ByteSources
import TensorTypes
import TestSupport
import Testing

@Suite("Relative paths (Formats/Silt.md 4.5)")
struct RelativePathTests {
    @Test(
        "safe paths pass",
        arguments: [
            "a", "a/b", "model.safetensors", ".gitattributes", "a b/c", "...", "..a", "a..", "é/\u{1F600}", "a/.b", "-",
            "a:b",
            String(repeating: "x", count: 255),
        ])
    func safe(path: String) throws { try RelativePath.check(path) }

    @Test("the longest path passes, one byte more does not")
    func length() throws {
        let path = String(repeating: String(repeating: "x", count: 255) + "/", count: 16)
        try RelativePath.check(path.dropLast() + "")
        #expect(path.utf8.count == 4_096)
        #expect(code { try RelativePath.check(path.dropLast() + "/x") } == .path)
    }

    @Test("an empty path is refused")
    func empty() { #expect(code { try RelativePath.check("") } == .path) }

    @Test("an absolute path is refused", arguments: ["/", "/a", "//a"])
    func absolute(path: String) { #expect(code { try RelativePath.check(path) } == .path) }

    @Test("an empty component is refused", arguments: ["a/", "a//b", "a/b/"])
    func emptyComponent(path: String) { #expect(code { try RelativePath.check(path) } == .path) }

    @Test("\".\" and \"..\" are refused", arguments: [".", "..", "../a", "a/..", "a/../b", "./a", "a/./b"])
    func dots(path: String) { #expect(code { try RelativePath.check(path) } == .path) }

    @Test("a backslash is refused", arguments: ["a\\b", "\\", "..\\a"])
    func backslash(path: String) { #expect(code { try RelativePath.check(path) } == .path) }

    @Test("a control character is refused, and not shown", arguments: ["a\0b", "a\nb", "\t", "a\u{7F}", "\u{1B}[2J"])
    func control(path: String) {
        let error = failure { try RelativePath.check(path) }
        #expect(error?.code == .path)
        #expect(error?.message.utf8.contains { $0 < 32 || $0 == 127 } == false)
    }

    @Test("a component of more than 255 bytes is refused")
    func longComponent() {
        #expect(code { try RelativePath.check("a/" + String(repeating: "x", count: 256)) } == .path)
        #expect(code { try RelativePath.check(String(repeating: "é", count: 128)) } == .path)
    }

    @Test("a path that appears twice is refused")
    func duplicate() {
        #expect(failure { try RelativePath.check(all: ["b", "a/c", "b"]) }?.message.contains("twice") == true)
        #expect(failure { try RelativePath.check(all: ["b", "a/c", "a"]) }?.message.contains("directory") == true)
    }

    @Test("a file that is a directory of another is refused, whatever sorts between them")
    func fileAsDirectory() {
        #expect(code { try RelativePath.check(all: ["a", "a!b", "a.c", "a/x", "ab"]) } == .path)
        #expect(code { try RelativePath.check(all: ["d/a/b/c", "d/a-", "d/a"]) } == .path)
    }

    @Test("paths that only look alike pass")
    func different() throws {
        try RelativePath.check(all: ["a", "ab", "a!b", "b/a", "b/ab", "A"])
        try RelativePath.check(all: ["\u{E9}", "e\u{301}"])
        try RelativePath.check(all: [])
    }

    @Test("a bad path among good ones is refused")
    func bad() { #expect(code { try RelativePath.check(all: ["a", "../b"]) } == .path) }
}
