import SiltFormat
@testable import SiltPacking
@testable import SiltReading
import ArgumentParser
import Logging
@testable import SiltCommand
import TensorTypes
import TestSupport
import Testing

@Suite("Exit statuses")
struct ExitStatusTests {
    @Test(
        "every class of error has one, and none is that of success or of a difference",
        arguments: SiltError.Code.all)
    func total(code: SiltError.Code) {
        let status = Status(of: SiltError(code, "m"))
        #expect(status != .ok && status != .different)
        #expect(status.code.rawValue == status.rawValue)
    }

    @Test("the classes of the format are malformed input, all others have their own")
    func classes() {
        for code in SiltError.Code.all.prefix(while: { $0 != .usage }) {
            #expect(Status(of: SiltError(code, "m")) == .malformed)
        }
        let others: [SiltError.Code: Status] = [
            .usage: .usage, .inputMissing: .missing, .cannotCreate: .cannotCreate, .io: .io, .changed: .failed,
            .interrupted: .interrupted, .noMatch: .failed, .diverged: .failed, .fault: .failed,
        ]
        #expect(others.count == SiltError.Code.all.count - 17)
        for (code, status) in others { #expect(Status(of: SiltError(code, "m")) == status) }
    }

    @Test("the help lists exactly the statuses that there are")
    func help() {
        let listed = Status.help.split(separator: "\n").dropFirst().compactMap { line in
            line.split(separator: " ").first.flatMap { Int32($0) }
        }
        #expect(listed == [0, 1, 2, 64, 65, 66, 73, 74, 130])
        for number in listed { #expect(Status(rawValue: number) != nil) }
        let all: [Status] = [
            .ok, .different, .failed, .usage, .malformed, .missing, .cannotCreate, .io, .interrupted,
        ]
        #expect(all.map(\.rawValue) == listed)
    }
}

@Suite("Arguments")
struct ArgumentTests {
    @Test("pack")
    func pack() throws {
        let command = try #require(
            try SiltCommand.parseAsRoot([
                "pack", "B", "F", "-o", "O", "--codec", "lz4", "--level", "19", "-t", "3", "-f", "-q",
            ])
                as? Pack)
        #expect(command.base == "B" && command.finetuned == "F" && command.output == "O")
        #expect(command.codec == .lz4 && command.level == 19 && command.work.workers == 3)
        #expect(command.force && command.common.quiet && !command.common.verbose && !command.common.json)
        let plain = try #require(try SiltCommand.parseAsRoot(["pack", "B", "F", "--output", "O"]) as? Pack)
        #expect(plain.codec == .auto && plain.level == 3 && !plain.force && plain.work.workers >= 1)
    }

    @Test("unpack, verify, inspect")
    func others() throws {
        let unpack = try #require(
            try SiltCommand.parseAsRoot(["unpack", "B", "S", "-o", "O", "--only", "x$", "--json"]) as? Unpack)
        #expect(unpack.files == ["S"] && unpack.only == "x$" && unpack.common.json)
        let verify = try #require(
            try SiltCommand.parseAsRoot(["verify", "B", "S", "--against", "F", "--sha256", "-v"]) as? Verify)
        #expect(verify.against == "F" && verify.sha256 && verify.common.verbose)
        #expect(verify.common.log.logLevel == .debug)
        #expect((try SiltCommand.parseAsRoot(["inspect", "S"]) as? Inspect)?.file == "S")
    }

    @Test(
        "wrong usage ends with 64",
        arguments: [
            ["pack", "B", "F"], ["pack", "B", "-o", "O"], ["pack", "B", "F", "-o", "O", "--codec", "zip"],
            ["pack", "B", "F", "-o", "O", "--level", "0"], ["pack", "B", "F", "-o", "O", "--level", "23"],
            ["pack", "B", "F", "-o", "O", "-t", "0"], ["unpack", "B", "S", "-o", "O", "-t", "1025"],
            ["verify", "B", "S", "-q", "-v"], ["inspect"], ["unpick"], ["inspect", "S", "--nothing"],
        ])
    func usage(arguments: [String]) {
        do {
            _ = try SiltCommand.parseAsRoot(arguments)
            Issue.record("no error")
        } catch {
            #expect(SiltCommand.exitCode(for: error) == Status.usage.code)
        }
    }

    @Test("help and version are no errors", arguments: [["--help"], ["pack", "--help"], ["--version"]])
    func help(arguments: [String]) {
        do {
            var command = try SiltCommand.parseAsRoot(arguments)
            try command.run()
            Issue.record("no text")
        } catch {
            #expect(SiltCommand.exitCode(for: error) == ExitCode.success)
            let text = SiltCommand.fullMessage(for: error)
            #expect(arguments == ["--version"] ? text.contains(SiltVersion.library) : text.contains("EXIT STATUS"))
        }
    }

    @Test("the codecs of the help are those of the library")
    func codecs() {
        let text = Pack.helpMessage()
        for codec in PackOptions.CodecChoice.allCases { #expect(text.contains(codec.rawValue)) }
    }
}

@Suite("Reports as JSON")
struct ReportTests {
    private func keys(_ value: JSONValue) -> [String] {
        guard case .object(let members) = value else { return [] }
        return members.map(\.key)
    }

    @Test("inspecting a vector gives what the file says")
    func inspection() throws {
        let inspection = try Inspection(of: Repository.path("Formats/Vectors/valid/exact-bf16.silt"))
        let json = inspection.json
        #expect(json["contract"] == .string("exact") && json["form"] == .string("file"))
        #expect(json["bytes"] == .integer(Repository.bytes("Formats/Vectors/valid/exact-bf16.silt")?.count ?? 0))
        guard case .array(let tensors) = json["tensors"], case .array(let files) = json["files"] else {
            Issue.record("no tensors or files")
            return
        }
        #expect(tensors.count == inspection.tensors.count && files.count == 1)
        #expect(tensors.contains { $0["dtype"] == .string("BF16") && $0["kind"] == .string("exact") })
        #expect(try JSONValue(parsing: json.serialized(pretty: true))["result"] == json["result"])
    }

    @Test("shares stand in the order of their names")
    func shares() {
        let json = ["exact": EncodingShare(), "copy": EncodingShare()].json
        #expect(keys(json) == ["copy", "exact"] && keys(json["copy"] ?? .null) == ["tensors", "bytes"])
    }
}
