import ByteSources
import TensorTypes
import TestSupport
import Testing

@Suite("Outputs that are directories appear whole or not at all")
struct StagedDirectoryTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func stage(
        _ replacing: StagedOutput.Replacement = .never, atomic: Bool = true
    ) throws -> StagedOutput {
        try StagedOutput(at: directory("out"), form: .directory, replacing: replacing, hasAtomicRenames: atomic)
    }

    @Test("files appear with their directories", arguments: [true, false])
    func commit(atomic: Bool) throws {
        let output = try stage(atomic: atomic)
        for (index, path) in ["a", "d/b", "d/e/c", "d/e/f"].enumerated() {
            let file = try output.create(path)
            try file.write([UInt8(index)], at: 0)
        }
        #expect(!directory.names.contains("out"))
        try output.commit()
        #expect(directory.names == ["out"])
        #expect(try DirectoryListing.files(below: directory("out")) == ["a", "d/b", "d/e/c", "d/e/f"])
        #expect(directory.read("out/d/e/f") == [3])
    }

    @Test("an empty directory can be an output")
    func empty() throws {
        try stage().commit()
        #expect(try DirectoryListing.files(below: directory("out")) == [])
    }

    @Test("unsafe paths are refused", arguments: ["", "/a", "../a", "a/../../b", "a//b", "a\\b", "a/", "a\0b"])
    func unsafePaths(path: String) throws {
        let output = try stage()
        #expect(code { _ = try output.create(path) } == .path)
    }

    @Test("a path that is taken, or leads through a file, is refused")
    func takenPaths() throws {
        let output = try stage()
        _ = try output.create("a")
        _ = try output.create("d/b")
        #expect(code { _ = try output.create("a") } == .cannotCreate)
        #expect(code { _ = try output.create("d") } == .cannotCreate)
        #expect(code { _ = try output.create("a/b") } == .cannotCreate)
    }

    @Test("a link that someone plants inside is not followed")
    func plantedLink() throws {
        let output = try stage()
        try directory.makeDirectory("outside")
        try directory.link(directory.names.filter { $0 != "outside" }[0] + "/d", to: directory("outside"))
        #expect(code { _ = try output.create("d/f") } == .cannotCreate)
        #expect(try DirectoryListing.files(below: directory("outside")) == [])
    }

    @Test("letting go removes the whole tree, but follows no link in it")
    func discard() throws {
        try directory.write([1], to: "outside/f")
        do {
            let output = try stage()
            _ = try output.create("d/e/f")
            try directory.link(directory.names.filter { $0 != "outside" }[0] + "/d/link", to: directory("outside"))
        }
        #expect(directory.names == ["outside"])
        #expect(directory.read("outside/f") == [1])
    }

    @Test("an existing directory is refused, with the way out")
    func taken() throws {
        try directory.makeDirectory("out")
        #expect(failure { _ = try stage() }?.advice == "use replaceExisting to replace it")
        #expect(code { _ = try stage(.file) } == .cannotCreate)
        #expect(directory.names == ["out"])
    }

    @Test("a directory with only expected files is replaced", arguments: [true, false])
    func replace(atomic: Bool) throws {
        try directory.write([9], to: "out/a")
        try directory.write([9], to: "out/d/b")
        try directory.makeDirectory("out/empty")
        let output = try stage(.directory(expected: ["a", "d/b", "c"]), atomic: atomic)
        try output.create("a").write([1], at: 0)
        #expect(directory.read("out/a") == [9])
        try output.commit()
        #expect(directory.names == ["out"])
        #expect(try DirectoryListing.files(below: directory("out")) == ["a"])
        #expect(directory.read("out/a") == [1])
    }

    @Test("a foreign file keeps its directory, and is named", arguments: ["notes.txt", "d/thesis.tex"])
    func foreign(name: String) throws {
        try directory.write([9], to: "out/a")
        try directory.write([7], to: "out/" + name)
        let error = failure { _ = try stage(.directory(expected: ["a", "d"])) }
        #expect(error?.code == .cannotCreate)
        #expect(error?.message.contains(name) == true)
        #expect(directory.names == ["out"])
        #expect(directory.read("out/" + name) == [7])
    }

    @Test("a foreign link or pipe keeps its directory")
    func foreignKinds() throws {
        try directory.makeDirectory("out")
        try directory.link("out/link", to: "/")
        #expect(code { _ = try stage(.directory(expected: [])) } == .cannotCreate)
        try directory.remove("out/link")
        directory.makePipe("out/pipe")
        #expect(code { _ = try stage(.directory(expected: [])) } == .cannotCreate)
    }

    @Test("a foreign file that appears while the output is written keeps its directory", arguments: [true, false])
    func foreignMeanwhile(atomic: Bool) throws {
        try directory.write([9], to: "out/a")
        let output = try stage(.directory(expected: ["a"]), atomic: atomic)
        try directory.write([7], to: "out/new")
        #expect(code { try output.commit() } == .cannotCreate)
        #expect(directory.names == ["out"])
        #expect(directory.read("out/a") == [9])
    }

    @Test("a file or a link is replaced if that is allowed", arguments: [true, false])
    func replaceFile(atomic: Bool) throws {
        try directory.write([9], to: "out")
        let output = try stage(.file, atomic: atomic)
        _ = try output.create("a")
        try output.commit()
        #expect(directory.names == ["out"])
        try directory.remove("out")

        try directory.write([9], to: "elsewhere/a")
        try directory.link("out", to: "elsewhere")
        try stage(.directory(expected: []), atomic: atomic).commit()
        #expect(directory.names == ["elsewhere", "out"])
        #expect(!directory.isLink("out"))
        #expect(directory.read("elsewhere/a") == [9])
    }

    @Test("what appears while the output is written is not overwritten", arguments: [true, false])
    func appearedMeanwhile(atomic: Bool) throws {
        let output = try stage(atomic: atomic)
        try directory.makeDirectory("out")
        #expect(code { try output.commit() } == .cannotCreate)
        #expect(directory.names == ["out"])
    }

    @Test("threads may create files at the same time")
    func threads() async throws {
        let output = try stage()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<40 {
                group.addTask { try output.create("d\(index % 3)/e/f\(index)").write([UInt8(index)], at: 0) }
            }
            try await group.waitForAll()
        }
        try output.commit()
        #expect(try DirectoryListing.files(below: directory("out")).count == 40)
    }
}
