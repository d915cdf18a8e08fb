import SiltReading
import SceneSupport
import Workers
import Safetensors
import TensorTypes
import TestSupport
import Testing

@Suite("Wrong bases, choices of tensors, outputs that exist, interruptions")
struct RefusalTests {
    private let scene: Scene
    private let base: [TestTensor]

    init() throws {
        scene = try Scene()
        var generator = SeededGenerator(seed: 20)
        let base = try ["a", "b", "c", "d"].map { try TestTensor("t.\($0)", .bf16, [30, 40], using: &generator) }
        self.base = base
        try scene.write(base, to: "base")
        try scene.write(base.map { $0.moved(every: 31, using: &generator) }, to: "result")
        try scene.pack()
    }

    /// The error of unpacking with another base.
    private func error(_ tensors: [TestTensor], threads: Int) throws -> SiltError? {
        try scene.write(tensors, to: "wrong")
        let error = failure { try scene.unpack("wrong", to: "back", threads: threads) }
        #expect(scene.directory.names == ["base", "out.silt", "result", "wrong"])
        return error
    }

    @Test("the class and the first tensor of a wrong base are named", arguments: [1, 2, 5])
    func wrongBase(threads: Int) throws {
        var generator = SeededGenerator(seed: 21)
        func replaced(_ make: (TestTensor) throws -> TestTensor?) rethrows -> [TestTensor] {
            // The second and the last: the error must tell the second.
            [base[0], try make(base[1]), base[2], try make(base[3])].compactMap { $0 }
        }
        let missing = try error(replaced { _ in nil }, threads: threads)
        #expect(missing?.code == .baseMissing && missing?.tensor == "t.b")
        let dtype = try error(replaced { try TestTensor($0.name, .f16, [30, 40], $0.bytes) }, threads: threads)
        #expect(dtype?.code == .baseDType && dtype?.tensor == "t.b")
        let shape = try error(replaced { try TestTensor($0.name, .bf16, [40, 30], $0.bytes) }, threads: threads)
        #expect(shape?.code == .baseShape && shape?.tensor == "t.b")
        let content = try error(replaced { $0.moved(every: 2_000, using: &generator) }, threads: threads)
        #expect(content?.code == .baseContent && content?.tensor == "t.b")
        for error in [missing, dtype, shape, content] {
            #expect(error?.file == scene.directory("wrong") && error?.advice != nil)
        }
    }

    @Test("verifying tells all that is wrong, in order", arguments: [1, 5])
    func verify(threads: Int) throws {
        var generator = SeededGenerator(seed: 22)
        try scene.write(
            [base[3].moved(every: 99, using: &generator), base[2], base[1].moved(every: 99, using: &generator)],
            to: "wrong")
        let report = try scene.verify("wrong", threads: threads)
        #expect(!report.identical && !report.compared && !report.sha256Checked)
        #expect(report.differences.map(\.tensor) == ["t.a", "t.b", "t.d"])
        #expect(report.differences.map(\.kind.name) == ["base-missing", "base-content", "base-content"])
    }

    @Test("the base may be in another order, with other metadata, with more tensors, and sharded")
    func equalBase() throws {
        var generator = SeededGenerator(seed: 23)
        let more = try TestTensor("t.more", .i8, [5], using: &generator)
        try scene.write([more] + base.reversed(), to: "other", metadata: ["x": "y"])
        try scene.unpack("other")
        #expect(scene.directory.read("back") == scene.directory.read("result"))
        try scene.write(Array(base[2...]), to: "shards/1.safetensors")
        try scene.write(Array(base[..<2]), to: "shards/2.safetensors")
        try scene.unpack("shards", to: "again")
        #expect(scene.directory.read("again") == scene.directory.read("result"))
    }

    @Test("only the tensors that match come back")
    func only() throws {
        let report = try scene.unpack(to: "some", only: "[ac]$")
        #expect(report.tensors == 2 && report.files == 1)
        let (some, result) = try (SafetensorsFile(scene.directory("some")), SafetensorsFile(scene.directory("result")))
        #expect(some.header.entries.map(\.name) == ["t.a", "t.c"])
        #expect(some.header.metadata == ["format": "pt"])
        for name in ["t.a", "t.c"] { #expect(try some.bytes(of: name) == result.bytes(of: name)) }
        #expect(report.bytes == scene.directory.read("some")?.count)
    }

    @Test("only: a pattern that matches nothing, or is none")
    func onlyRefused() {
        #expect(code { try scene.unpack(to: "some", only: "^x") } == .noMatch)
        #expect(code { try scene.unpack(to: "some", only: "(") } == .usage)
        #expect(scene.directory.names == ["base", "out.silt", "result"])
    }

    @Test("only: a base that is wrong elsewhere does not matter, where it is needed it does")
    func onlyWrongBase() throws {
        var generator = SeededGenerator(seed: 24)
        try scene.write([base[0], base[1].moved(every: 500, using: &generator)], to: "wrong")
        try scene.unpack("wrong", to: "some", only: "a$")
        #expect(code { try scene.unpack("wrong", to: "other", only: "b$") } == .baseContent)
        #expect(code { try scene.unpack("wrong", to: "other", only: "c$") } == .baseMissing)
        #expect(!scene.directory.names.contains("other"))
    }

    @Test("only: a file with other chunks damaged still gives the tensor")
    func onlyDamaged() throws {
        var bytes = try #require(scene.directory.read("out.silt"))
        let container = try SafetensorsFile(scene.directory("out.silt"))
        let payload = try #require(container.header["silt.payload"]?.range)
        // The last chunk of the payload belongs to the last tensor.
        bytes[container.header.dataStart + payload.upperBound - 1] ^= 1
        try scene.directory.write(bytes, to: "damaged.silt")
        try scene.unpack("base", "damaged.silt", to: "some", only: "a$")
        #expect(code { try scene.unpack("base", "damaged.silt", to: "other", only: "d$") } == .checksum)
        #expect(code { try scene.unpack("base", "damaged.silt", to: "other") } == .checksum)
    }

    @Test("what exists stays, unless it may be replaced")
    func replacing() throws {
        try scene.directory.write([1], to: "taken")
        let before = try #require(scene.directory.read("out.silt"))
        #expect(code { try scene.pack() } == .cannotCreate)
        #expect(code { try scene.unpack(to: "taken") } == .cannotCreate)
        #expect(code { try scene.unpack(to: "taken", only: "a") } == .cannotCreate)
        #expect(scene.directory.read("taken") == [1] && scene.directory.read("out.silt") == before)
        try scene.pack(replacing: true)
        #expect(scene.directory.read("out.silt") == before)
        try scene.unpack(to: "taken", replacing: true)
        #expect(scene.directory.read("taken") == scene.directory.read("result"))
    }

    @Test("a directory is replaced only if it has no other files")
    func replacingDirectory() throws {
        try scene.write(base, to: "checkpoint/model.safetensors")
        try scene.directory.write([1, 2], to: "checkpoint/a/b.txt")
        try scene.pack("base", "checkpoint", to: "directory.silt")
        try scene.unpack("base", "directory.silt", to: "there")
        #expect(code { try scene.unpack("base", "directory.silt", to: "there") } == .cannotCreate)
        try scene.directory.write([3], to: "there/a/b.txt")
        try scene.unpack("base", "directory.silt", to: "there", replacing: true)
        #expect(scene.directory.read("there/a/b.txt") == [1, 2])
        try scene.directory.write([3], to: "there/mine.txt")
        #expect(code { try scene.unpack("base", "directory.silt", to: "there", replacing: true) } == .cannotCreate)
        #expect(scene.directory.read("there/mine.txt") == [3])
    }

    @Test("inputs that are missing or damaged")
    func inputs() throws {
        #expect(code { try scene.pack("absent", to: "x") } == .inputMissing)
        #expect(code { try scene.pack("base", "absent", to: "x") } == .inputMissing)
        #expect(code { try scene.unpack("base", "absent", to: "x") } == .inputMissing)
        #expect(code { try scene.unpack("absent", to: "x") } == .inputMissing)
        #expect(code { try scene.unpack("base", "result", to: "x") } == .notSilt)
        try scene.directory.write([1, 2, 3], to: "short")
        #expect(code { try scene.pack("short", to: "x") } == .truncated)
        #expect(code { try scene.pack("base", "result", to: "no/such/x") } == .cannotCreate)
        #expect(!scene.directory.names.contains("x"))
    }

    /// Runs `body` with a cancellation that is requested at the first report of `phase`.
    private func interrupted(
        at phase: String, _ body: (@escaping Progress.Handler, Cancellation) throws -> Void
    ) -> SiltError.Code? {
        let cancellation = Cancellation()
        return code {
            try body({ if $0.phase == phase { cancellation.request() } }, cancellation)
        }
    }

    @Test("a request to stop in the middle ends with `interrupted` and leaves nothing", arguments: [1, 2, 5])
    func interruption(threads: Int) throws {
        var generator = SeededGenerator(seed: 25)
        let many = try (0..<40).map { try TestTensor("m.\($0)", .bf16, [20, 20], using: &generator) }
        try scene.write(many, to: "many")
        try scene.write(many.map { $0.moved(every: 9, using: &generator) }, to: "many2")
        try scene.pack("many", "many2", to: "many.silt")
        let before = scene.directory.names
        for phase in ["measuring", "packing"] {
            let found = interrupted(at: phase) {
                try scene.pack("many", "many2", to: "x", threads: threads, progress: $0, cancellation: $1)
            }
            #expect(found == .interrupted, "\(phase)")
            #expect(scene.directory.names == before)
        }
        let found = interrupted(at: "unpacking") {
            try scene.unpack("many", "many.silt", to: "x", threads: threads, progress: $0, cancellation: $1)
        }
        #expect(found == .interrupted)
        let some = interrupted(at: "unpacking") {
            try scene.unpack("many", "many.silt", to: "x", only: "m", threads: threads, progress: $0, cancellation: $1)
        }
        #expect(some == .interrupted)
        #expect(scene.directory.names == before)
    }
}
