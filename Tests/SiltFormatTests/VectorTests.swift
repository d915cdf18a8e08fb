import SiltReading
import Workers
import Logging
import ByteSources
import TensorTypes
import TestSupport
import Testing

/// A committed vector: a Silt file, its base, and what must come of it.
struct Vector: Sendable, CustomTestStringConvertible {
    let name: String
    let kind: String

    var testDescription: String { name }

    /// All vectors of a directory.
    static func all(_ kind: String) -> [Vector] {
        Repository.names(in: "Formats/Vectors/\(kind)").filter { $0.hasSuffix(".json") }.map {
            Vector(name: String($0.dropLast(5)), kind: kind)
        }
    }

    func facts() throws -> JSONValue {
        try JSONValue(parsing: try #require(Repository.bytes("Formats/Vectors/\(kind)/\(name).json")))
    }

    func text(_ key: String) throws -> String {
        guard case .string(let text) = try facts()[key] else { throw SiltError(.io, "the vector has no \(key)") }
        return text
    }

    /// Unpacks into `output`.
    func unpack(threads: Int = 2, level: KernelLevel = .best, to output: String) throws {
        var context = WorkContext(threads: threads, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        context.kernelLevel = level
        _ = try Unpacker(context).unpack(
            base: Repository.path("Formats/Vectors/\(text("base"))"),
            file: Repository.path("Formats/Vectors/\(kind)/\(name).silt"), to: output)
    }
}

@Suite("The committed vectors")
struct VectorTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test("there are as many as the independent reader has, and none without its Silt file")
    func enough() {
        #expect(Vector.all("valid").count >= 83)
        #expect(Vector.all("invalid").count >= 427)
        for kind in ["valid", "invalid"] {
            let files = Repository.names(in: "Formats/Vectors/\(kind)").filter { $0.hasSuffix(".silt") }
            #expect(files == Vector.all(kind).map { $0.name + ".silt" })
        }
    }

    @Test(
        "a valid one gives exactly its files, with every form of the kernels", arguments: Vector.all("valid"),
        KernelLevel.available)
    func valid(vector: Vector, level: KernelLevel) throws {
        try vector.unpack(threads: level == .best ? 8 : 1, level: level, to: directory("out"))
        guard case .object(let members) = try vector.facts()["files"] else {
            Issue.record("the vector names no files")
            return
        }
        let isDirectory = DirectoryListing.kind(of: directory("out")) == .directory
        if isDirectory {
            #expect(try Set(DirectoryListing.files(below: directory("out"))) == Set(members.map(\.key)))
        } else {
            #expect(members.count == 1)
        }
        for member in members {
            let bytes = try #require(directory.read(isDirectory ? "out/\(member.key)" : "out"))
            #expect(member.value == .string(SHA256.of(bytes)), "\(member.key)")
        }
    }

    @Test("an invalid one is refused with its class, and nothing appears", arguments: Vector.all("invalid"))
    func invalid(vector: Vector) throws {
        let error = failure { try vector.unpack(to: directory("out")) }
        #expect(error?.code.name == (try vector.text("error")), "\(error?.description ?? "no error")")
        #expect(directory.names == [])
    }

    @Test("every class of the format has an invalid vector at least")
    func classes() throws {
        let found = try Set(Vector.all("invalid").map { try $0.text("error") })
        let all = SiltError.Code.all.filter(\.isOfFormat).map(\.name)
        #expect(found == Set(all))
    }

    @Test("verifying says the same as unpacking", arguments: Vector.all("valid"))
    func verified(vector: Vector) throws {
        let report = try Verifier(
            WorkContext(log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }), checksSHA256: true
        )
        .verify(
            base: Repository.path("Formats/Vectors/\(vector.text("base"))"),
            file: Repository.path("Formats/Vectors/valid/\(vector.name).silt"), against: nil)
        #expect(report.identical && report.sha256Checked, "\(report.differences)")
    }

    @Test("a file that is cut anywhere is refused", arguments: ["exact-bf16", "directory"])
    func cut(name: String) throws {
        let bytes = try #require(Repository.bytes("Formats/Vectors/valid/\(name).silt"))
        let vector = Vector(name: name, kind: "valid")
        let base = try Repository.path("Formats/Vectors/\(vector.text("base"))")
        let unpacker = Unpacker(WorkContext(log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        for count in stride(from: 0, to: bytes.count, by: 41) + [7, 8, 9, bytes.count - 1] {
            try directory.write(Array(bytes.prefix(count)), to: "cut.silt")
            let found = code { _ = try unpacker.unpack(base: base, file: directory("cut.silt"), to: directory("out")) }
            #expect(found == .truncated, "cut at \(count)")
        }
        #expect(directory.names == ["cut.silt"])
    }

    @Test("a file with any byte changed is refused", arguments: ["exact-bf16", "directory"])
    func changed(name: String) throws {
        let bytes = try #require(Repository.bytes("Formats/Vectors/valid/\(name).silt"))
        let vector = Vector(name: name, kind: "valid")
        let base = try Repository.path("Formats/Vectors/\(vector.text("base"))")
        let unpacker = Unpacker(WorkContext(log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<60 {
            var altered = bytes
            altered[generator.below(bytes.count)] ^= UInt8(1 + generator.below(255))
            try directory.write(altered, to: "changed.silt")
            let error = failure {
                _ = try unpacker.unpack(base: base, file: directory("changed.silt"), to: directory("out"))
            }
            #expect(error != nil)
        }
        #expect(directory.names == ["changed.silt"])
    }
}

/// The offsets of `sequence`, then others.
private func + (sequence: StrideTo<Int>, others: [Int]) -> [Int] { Array(sequence) + others }
