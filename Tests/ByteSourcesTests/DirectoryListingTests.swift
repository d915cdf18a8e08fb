import Foundation
import ByteSources
import TensorTypes
import TestSupport
import Testing

@Suite("Directory listings")
struct DirectoryListingTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func files() throws -> [String] { try DirectoryListing.files(below: directory.path) }

    @Test("all files, sorted by their bytes")
    func sorted() throws {
        let names = ["b", "a/z", "a/b/c", "Z", "é", "a.txt", "a!", ".gitattributes", "x/.git/y", "x/.cache/y"]
        for name in names { try directory.write([1], to: name) }
        try directory.makeDirectory("empty")
        #expect(try files() == names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        #expect(try DirectoryListing.files(below: directory.path + "/") == files())
    }

    @Test("an empty directory has no files")
    func empty() throws { #expect(try files() == []) }

    @Test("the directories of tools at the top are left out")
    func tools() throws {
        for name in [".git/config", ".cache/huggingface/x.lock", "f"] { try directory.write([], to: name) }
        #expect(try files() == ["f"])
    }

    @Test("links to files count as files")
    func links() throws {
        let blobs = try TemporaryDirectory()
        try blobs.write([1], to: "blob")
        try directory.link("model.safetensors", to: blobs("blob"))
        #expect(try files() == ["model.safetensors"])
    }

    @Test("the root may be a link")
    func rootLink() throws {
        try directory.write([], to: "d/f")
        try directory.link("l", to: "d")
        #expect(try DirectoryListing.files(below: directory("l")) == ["f"])
    }

    @Test("a link to a directory is refused")
    func directoryLink() throws {
        try directory.makeDirectory("d")
        try directory.link("loop", to: ".")
        let error = failure { _ = try files() }
        #expect(error?.code == .path)
        #expect(error?.file == directory("loop"))
    }

    @Test("a dangling link is named")
    func dangling() throws {
        try directory.link("l", to: "nowhere")
        let error = failure { _ = try files() }
        #expect(error?.code == .inputMissing)
        #expect(error?.file == directory("l"))
    }

    @Test("links in a circle are named")
    func circle() throws {
        try directory.link("a", to: "b")
        try directory.link("b", to: "a")
        #expect(failure { _ = try files() }?.file == directory("a"))
    }

    @Test("a pipe is refused")
    func pipe() throws {
        directory.makePipe("sub")
        #expect(failure { _ = try files() }?.code == .path)
    }

    @Test("a name that no path may have is refused", arguments: ["a\\b", "a\nb"])
    func badName(name: String) throws {
        try directory.write([], to: name)
        #expect(code { _ = try files() } == .path)
    }

    #if os(Linux)
        @Test("a name that is not UTF-8 is refused")
        func notUTF8() throws {
            let path = Array(directory.path.utf8CString.dropLast()) + [0x2F, 0x61, CChar(bitPattern: 0xFF), 0]
            let descriptor = unsafe creat(path, 0o600)
            #expect(descriptor >= 0)
            close(descriptor)
            #expect(code { _ = try files() } == .path)
        }
    #endif

    @Test("what is no directory is refused")
    func notADirectory() throws {
        try directory.write([], to: "f")
        #expect(code { _ = try DirectoryListing.files(below: directory("f")) } == .inputMissing)
        #expect(code { _ = try DirectoryListing.files(below: directory("absent")) } == .inputMissing)
    }

    @Test("kinds follow links")
    func kinds() throws {
        try directory.write([], to: "f")
        try directory.link("file", to: "f")
        try directory.link("directory", to: ".")
        try directory.link("dangling", to: "nowhere")
        directory.makePipe("p")
        let names = ["f", "", "absent", "file", "directory", "dangling", "f/below", "p", "f\0"]
        let kinds: [FileKind] = [.file, .directory, .missing, .file, .directory, .missing, .missing, .other, .other]
        #expect(names.map { DirectoryListing.kind(of: directory($0)) } == kinds)
    }
}
