import Foundation
import ByteSources
import TensorTypes
import TestSupport
import Testing

@Suite("Temporaries that dead processes left")
struct StaleTemporaryTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func stage(_ name: String = "out", _ form: StagedOutput.Form = .file) throws -> StagedOutput {
        try StagedOutput(at: directory(name), form: form, replacing: .never)
    }

    @Test("a file and a tree that nobody locks are removed")
    func removed() throws {
        try directory.write([1], to: ".out.silt-4711-0123456789abcdef.partial")
        try directory.write([1], to: ".out.silt-1-00000000000000ff.partial/d/f")
        let output = try stage()
        #expect(directory.names.map { directory($0) } == [output.path])
        output.discard()
        #expect(directory.names == [])
    }

    @Test("those of living owners stay", arguments: [StagedOutput.Form.file, .directory])
    func kept(form: StagedOutput.Form) throws {
        let first = try stage("out", form)
        let second = try stage("out", form)
        #expect(Set(directory.names.map { directory($0) }) == [first.path, second.path])
        try first.commit()
        #expect(code { try second.commit() } == .cannotCreate)
        #expect(directory.names == ["out"])
    }

    @Test("the lock of a file outlives the file's closing")
    func keptAfterClosing() throws {
        let first = try stage()
        first.file.close()
        _ = try stage()
        #expect(directory.names.map { directory($0) } == [first.path])
    }

    @Test(
        "other names stay",
        arguments: [
            ".out2.silt-1-0123456789abcdef.partial", "out.silt-1-0123456789abcdef.partial",
            ".out.silt-1-0123456789abcdef",
            ".out.silt-1-0123456789abcde.partial", ".out.silt-x-0123456789abcdef.partial",
            ".out.silt-1-0123456789ABCDEF.partial",
            ".out.silt--0123456789abcdef.partial", ".out.silt-1-2-0123456789abcdef.partial", ".out.silt-.partial",
            ".out.partial",
            ".out.silt-1-0123456789abcdef.replaced",
        ])
    func otherNames(name: String) throws {
        try directory.write([1], to: name)
        try stage().discard()
        #expect(directory.names == [name])
    }

    @Test("a link under such a name stays, and what it leads to")
    func link() throws {
        let name = ".out.silt-1-0123456789abcdef.partial"
        try directory.write([1], to: "f")
        try directory.link(name, to: "f")
        try stage().discard()
        #expect(directory.names == [name, "f"])
    }

    @Test("what a killed process leaves is removed by the next output of the name")
    func killed() async throws {
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = directory.path as String] in
            let file = try StagedOutput(at: path + "/out", form: .file, replacing: .never)
            let tree = try StagedOutput(at: path + "/out", form: .directory, replacing: .never)
            _ = try tree.create("d/f")
            try withExtendedLifetime((file, tree)) {
                guard try FileManager.default.contentsOfDirectory(atPath: path).count == 2 else { return }
                kill(getpid(), SIGKILL)
            }
        }
        #expect(directory.names.count == 2)
        try stage().commit()
        #expect(directory.names == ["out"])
    }

    @Test("an interrupted program removes all its temporaries, and nothing else")
    func discardAll() async throws {
        // In a process of its own: it is about all outputs of a process.
        await #expect(processExitsWith: .success) { [path = directory.path as String] in
            let file = try StagedOutput(at: path + "/file", form: .file, replacing: .never)
            let tree = try StagedOutput(at: path + "/tree", form: .directory, replacing: .never)
            _ = try tree.create("d/f")
            let done = try StagedOutput(at: path + "/done", form: .file, replacing: .never)
            try done.commit()
            StagedOutput.discardAll()
            guard try FileManager.default.contentsOfDirectory(atPath: path) == ["done"] else { exit(1) }
            guard code({ try file.commit() }) == .io, code({ _ = try tree.create("e/f") }) != nil else { exit(2) }
            guard try FileManager.default.contentsOfDirectory(atPath: path) == ["done"] else { exit(3) }
            exit(0)
        }
        #expect(directory.names == ["done"])
    }
}
