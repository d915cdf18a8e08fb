import Safetensors
import TensorTypes
import TestSupport
import Testing

@Suite("Checkpoints")
struct CheckpointTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// Writes a safetensors file in which each tensor is one byte.
    private func write(_ names: [String], to file: String) throws {
        try directory.write([], to: file)
        let info = try #require(TensorInfo(dtype: .u8, shape: [1]))
        try SafetensorsWriter.write(
            names.enumerated().map { ($1, info, [UInt8($0)]) }, to: directory(file), replacing: true)
    }

    private func index(_ map: [String: String]) throws {
        let value: JSONValue = .members(["weight_map": .object(map.map { .init($0.key, .string($0.value)) })])
        try directory.write(value.serialized(), to: "model.safetensors.index.json")
    }

    private func opening() -> SiltError? { failure { _ = try Checkpoint(at: directory.path) } }

    @Test("a single file")
    func file() throws {
        try write(["b", "a"], to: "x.st")
        let checkpoint = try Checkpoint(at: directory("x.st"))
        #expect(checkpoint.form == .file && checkpoint.path == directory("x.st"))
        #expect(checkpoint.tensors.map(\.name) == ["a", "b"])
        #expect(checkpoint.files == ["x.st"] && checkpoint.safetensorsFiles == ["x.st"])
        #expect(checkpoint.path(of: "x.st") == directory("x.st"))
        let tensor = try #require(checkpoint["b"])
        #expect(try tensor.file.bytes(of: "b") == [0])
        #expect(tensor.range == tensor.file.header["b"]?.range)
        #expect(checkpoint["c"] == nil)
        #expect(try checkpoint.open("x.st") === tensor.file)
    }

    @Test("with an index, the model is in the files that it names")
    func sharded() throws {
        try write(["b"], to: "1.safetensors")
        try write(["a", "unnamed"], to: "d/2.safetensors")
        try write(["c"], to: "other.safetensors")
        try index(["b": "1.safetensors", "a": "d/2.safetensors"])
        try directory.write([1], to: "config.json")
        let checkpoint = try Checkpoint(at: directory.path)
        #expect(checkpoint.form == .directory)
        #expect(checkpoint.tensors.map(\.name) == ["a", "b", "unnamed"])
        #expect(checkpoint["a"]?.file.path == directory("d/2.safetensors"))
        #expect(
            checkpoint.files == [
                "1.safetensors", "config.json", "d/2.safetensors", "model.safetensors.index.json", "other.safetensors",
            ])
        #expect(checkpoint.safetensorsFiles == ["1.safetensors", "d/2.safetensors", "other.safetensors"])
        #expect(checkpoint.notes.isEmpty)
        #expect(checkpoint.path(of: "config.json") == directory("config.json"))
    }

    @Test("model.safetensors comes before an index, with a note unless that names it")
    func single() throws {
        try write(["a"], to: "model.safetensors")
        try write(["a", "b"], to: "1.safetensors")
        try index(["a": "1.safetensors", "b": "1.safetensors"])
        let checkpoint = try Checkpoint(at: directory.path)
        #expect(checkpoint.tensors.map(\.name) == ["a"])
        #expect(checkpoint.notes.count == 1)
        try index(["a": "model.safetensors"])
        #expect(try Checkpoint(at: directory.path).notes.isEmpty)
    }

    @Test("an index whose files are absent does not count if all of its tensors are at the top")
    func leftIndex() throws {
        try write(["a"], to: "x.safetensors")
        try write(["b"], to: "y.safetensors")
        try index(["a": "x.safetensors", "b": "z.safetensors"])
        let checkpoint = try Checkpoint(at: directory.path)
        #expect(checkpoint.tensors.map(\.name) == ["a", "b"])
        #expect(checkpoint.notes.first?.contains("z.safetensors") == true)
        // Two files with one tensor say nothing about the model; the absent file does.
        try write(["a", "b"], to: "w.safetensors")
        #expect(opening()?.code == .inputMissing)
    }

    @Test("without an index, the model is model.safetensors")
    func model() throws {
        try write(["a"], to: "model.safetensors")
        try write(["a", "b"], to: "adapter.safetensors")
        #expect(try Checkpoint(at: directory.path).tensors.map(\.name) == ["a"])
    }

    @Test("without both, the model is in all safetensors files at the top")
    func top() throws {
        try write(["b"], to: "x.safetensors")
        try write(["a"], to: "y.safetensors")
        try write(["a"], to: "d/z.safetensors")
        #expect(try Checkpoint(at: directory.path).tensors.map(\.name) == ["a", "b"])
    }

    @Test("files below the top do for a checkpoint without a model")
    func nested() throws {
        try write(["a"], to: "unet/z.safetensors")
        let checkpoint = try Checkpoint(at: directory.path)
        #expect(checkpoint.tensors.isEmpty)
        #expect(try checkpoint.open("unet/z.safetensors").header.entries.count == 1)
    }

    @Test("names are sorted by their bytes")
    func order() throws {
        try write(["é", "z", "Z", "a.10", "a.2", "\u{1F600}", "\u{FF5E}"], to: "model.safetensors")
        #expect(
            try Checkpoint(at: directory.path).tensors.map(\.name) == [
                "Z", "a.10", "a.2", "z", "é", "\u{FF5E}", "\u{1F600}",
            ])
    }

    @Test("a snapshot of links is a checkpoint")
    func links() throws {
        let blobs = try TemporaryDirectory()
        try write(["a"], to: "x.safetensors")
        try blobs.write(try #require(directory.read("x.safetensors")), to: "blob")
        try directory.remove("x.safetensors")
        try directory.link("model.safetensors", to: blobs("blob"))
        #expect(try Checkpoint(at: directory.path).tensors.map(\.name) == ["a"])
    }

    @Test("a file is opened once")
    func once() throws {
        try write(["a"], to: "model.safetensors")
        try write(["b"], to: "other.safetensors")
        let checkpoint = try Checkpoint(at: directory.path)
        #expect(try checkpoint.open("model.safetensors") === checkpoint["a"]?.file)
        #expect(try checkpoint.open("other.safetensors") === checkpoint.open("other.safetensors"))
    }

    @Test("the same name in two files is refused, naming both")
    func duplicate() throws {
        try write(["a"], to: "x.safetensors")
        try write(["a"], to: "y.safetensors")
        let error = opening()
        #expect(error?.code == .header && error?.tensor == "a")
        for name in ["x.safetensors", "y.safetensors"] { #expect(error?.description.contains(directory(name)) == true) }
    }

    @Test("a file that the index names but is absent is missing input, naming both")
    func absentShard() throws {
        try write(["a"], to: "x.safetensors")
        try index(["a": "x.safetensors", "b": "y.safetensors"])
        let error = opening()
        #expect(error?.code == .inputMissing && error?.file == directory("y.safetensors"))
        #expect(error?.message.contains("model.safetensors.index.json") == true)
    }

    @Test("a tensor that is not where the index says, or nowhere, is noted")
    func wrongShard() throws {
        try write(["a"], to: "x.safetensors")
        try write(["b"], to: "y.safetensors")
        try index(["a": "x.safetensors", "b": "x.safetensors", "c": "y.safetensors"])
        let checkpoint = try Checkpoint(at: directory.path)
        #expect(checkpoint.tensors.map(\.name) == ["a", "b"])
        #expect(checkpoint.notes.count == 2)
        #expect(checkpoint.notes.first?.contains("\"c\"") == true)
        #expect(checkpoint.notes.last?.contains("\"b\"") == true)
    }

    @Test("a broken index or file is refused")
    func broken() throws {
        try directory.write([1], to: "model.safetensors.index.json")
        #expect(opening()?.code == .header)
        try directory.remove("model.safetensors.index.json")
        try directory.write([1], to: "model.safetensors")
        #expect(opening()?.code == .truncated)
    }

    @Test("a directory without safetensors files is missing input, with the way out")
    func none() throws {
        try directory.write([1], to: "pytorch_model.bin")
        let error = opening()
        #expect(error?.code == .inputMissing)
        #expect(error?.advice?.contains("converted") == true)
    }

    @Test("nothing at the path is missing input")
    func absent() { #expect(code { _ = try Checkpoint(at: directory("absent")) } == .inputMissing) }

    @Test("a link to a directory inside is refused")
    func directoryLink() throws {
        try write(["a"], to: "model.safetensors")
        try directory.link("loop", to: ".")
        #expect(opening()?.code == .path)
    }
}
