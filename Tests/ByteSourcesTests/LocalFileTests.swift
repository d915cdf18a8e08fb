import ByteSources
import TensorTypes
import TestSupport
import Testing

@Suite("Files that are read")
struct LocalFileTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test("ranges are read")
    func ranges() throws {
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        try directory.write(bytes, to: "f")
        let file = try LocalFile(directory("f"))
        #expect(file.size == bytes.count && file.path == directory("f"))
        #expect(try file.bytes(0..<bytes.count) == bytes)
        #expect(try file.bytes(99..<70_001) == Array(bytes[99..<70_001]))
        #expect(try file.bytes(100_000..<100_000) == [])
    }

    @Test("an empty file can be opened")
    func empty() throws {
        try directory.write([], to: "f")
        #expect(try LocalFile(directory("f")).size == 0)
    }

    @Test("a symbolic link is followed")
    func link() throws {
        try directory.write([1, 2], to: "f")
        try directory.link("l", to: "f")
        #expect(try LocalFile(directory("l")).bytes(0..<2) == [1, 2])
    }

    @Test("an absent file is missing input", arguments: ["absent", "absent/f", "f/below", "dangling"])
    func absent(name: String) throws {
        try directory.write([], to: "f")
        try directory.link("dangling", to: "nowhere")
        let error = failure { _ = try LocalFile(directory(name)) }
        #expect(error?.code == .inputMissing)
        #expect(error?.file == directory(name))
    }

    @Test("a directory is refused")
    func refusesDirectory() { #expect(code { _ = try LocalFile(directory.path) } == .inputMissing) }

    @Test("a pipe is refused, without waiting for its writer")
    func pipe() {
        directory.makePipe("p")
        #expect(code { _ = try LocalFile(directory("p")) } == .inputMissing)
    }

    @Test("a path with a zero byte does not open the file before it")
    func zeroByte() throws {
        try directory.write([], to: "f")
        #expect(code { _ = try LocalFile(directory("f\0x")) } != nil)
    }

    @Test("a range beyond the file is refused before memory is taken for it")
    func beyond() throws {
        try directory.write([1, 2, 3], to: "f")
        let file = try LocalFile(directory("f"))
        #expect(code { _ = try file.bytes(0..<4) } == .changed)
        #expect(code { _ = try file.bytes(0..<Int.max) } == .changed)
        #expect(code { _ = try file.bytes(-1..<2) } == .changed)
    }

    @Test("a file that shrinks while it is read is found out, with the bytes that are gone")
    func shrunk() throws {
        try directory.write([UInt8](repeating: 7, count: 1_000), to: "f")
        let file = try LocalFile(directory("f"))
        try directory.write([UInt8](repeating: 7, count: 600), to: "f")
        #expect(try file.bytes(0..<600).count == 600)
        let error = failure { _ = try file.bytes(500..<900) }
        #expect(error?.code == .changed)
        #expect(error?.range == 600..<900)
        #expect(error?.file == directory("f"))
    }
}
