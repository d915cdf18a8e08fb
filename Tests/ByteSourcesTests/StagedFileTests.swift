import ByteSources
import TensorTypes
import TestSupport
import Testing

@Suite("Outputs that are files appear whole or not at all")
struct StagedFileTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func stage(
        _ name: String = "out", _ replacing: StagedOutput.Replacement = .never, atomic: Bool = true
    ) throws -> StagedOutput {
        try StagedOutput(at: directory(name), form: .file, replacing: replacing, hasAtomicRenames: atomic)
    }

    @Test("nothing has the name before the commit, nothing else after it", arguments: [true, false])
    func commit(atomic: Bool) throws {
        let output = try stage(atomic: atomic)
        try output.file.write([1, 2, 3], at: 0)
        #expect(directory.names.count == 1 && directory.names != ["out"])
        #expect(directory(directory.names[0]) == output.path)
        try output.commit()
        #expect(directory.names == ["out"])
        #expect(directory.read("out") == [1, 2, 3])
    }

    @Test("the file may be closed before the commit")
    func closedFile() throws {
        let output = try stage()
        try output.file.write([1], at: 0)
        output.file.close()
        try output.commit()
        #expect(directory.read("out") == [1])
    }

    @Test("discarding leaves nothing, also a second time")
    func discard() throws {
        let output = try stage()
        output.discard()
        output.discard()
        #expect(directory.names == [])
        #expect(code { try output.commit() } == .io)
    }

    @Test("an output that is let go is discarded")
    func deinitialization() throws {
        do {
            let output = try stage()
            try output.file.write([1], at: 0)
        }
        #expect(directory.names == [])
    }

    @Test("what is committed stays after discarding and a second commit")
    func committedStays() throws {
        let output = try stage()
        try output.commit()
        output.discard()
        #expect(code { try output.commit() } == .io)
        #expect(directory.names == ["out"])
    }

    @Test("a taken name is refused, with the way out", arguments: ["f", "d", "l"])
    func taken(name: String) throws {
        try directory.write([1], to: "f")
        try directory.makeDirectory("d")
        try directory.link("l", to: "nowhere")
        let error = failure { _ = try stage(name) }
        #expect(error?.code == .cannotCreate)
        #expect(error?.advice == "use replaceExisting to replace it")
        #expect(directory.names == ["d", "f", "l"])
    }

    @Test("a file is replaced if that is allowed")
    func replace() throws {
        try directory.write([9, 9, 9, 9], to: "out")
        let output = try stage("out", .file)
        try output.file.write([1], at: 0)
        #expect(directory.read("out") == [9, 9, 9, 9])
        try output.commit()
        #expect(directory.read("out") == [1])
        #expect(directory.names == ["out"])
    }

    @Test("a symbolic link is replaced itself, not what it leads to")
    func replaceLink() throws {
        try directory.write([9], to: "f")
        try directory.link("out", to: "f")
        try stage("out", .file).commit()
        #expect(!directory.isLink("out"))
        #expect(directory.read("f") == [9])
        #expect(directory.read("out") == [])
    }

    @Test(
        "a file never replaces a directory or a pipe",
        arguments: [.file, .directory(expected: [])] as [StagedOutput.Replacement])
    func neverReplaced(replacing: StagedOutput.Replacement) throws {
        try directory.makeDirectory("d")
        directory.makePipe("p")
        #expect(code { _ = try stage("d", replacing) } == .cannotCreate)
        #expect(code { _ = try stage("p", replacing) } == .cannotCreate)
        #expect(directory.names == ["d", "p"])
    }

    @Test("what appears while the output is written is not overwritten", arguments: [true, false])
    func appearedMeanwhile(atomic: Bool) throws {
        let output = try stage(atomic: atomic)
        try directory.write([9], to: "out")
        #expect(code { try output.commit() } == .cannotCreate)
        #expect(directory.names == ["out"])
        #expect(directory.read("out") == [9])
    }

    @Test("a missing directory is refused")
    func missingParent() { #expect(code { _ = try stage("absent/out") } == .cannotCreate) }

    @Test("a name that is none is refused", arguments: ["/", ".", "..", "a/..", ""])
    func noName(name: String) {
        #expect(code { _ = try StagedOutput(at: name, form: .file, replacing: .never) } == .cannotCreate)
    }

    @Test("a slash at the end of the name changes nothing")
    func slash() throws {
        try stage("out/").commit()
        #expect(directory.names == ["out"])
    }

    @Test("the longest name has a temporary")
    func longName() throws {
        let name = String(repeating: "é", count: 127) + "x"
        try stage(name).commit()
        #expect(directory.names == [name])
    }

    @Test("permissions are the usual ones, not those of a private temporary")
    func permissions() throws {
        try directory.write([], to: "plain")
        try stage().commit()
        #expect(directory.permissions("out") == directory.permissions("plain"))
    }
}
