import Foundation
import ByteSources
import TensorTypes
import TestSupport
import Testing

@Suite("Files that are written")
struct OutputFileTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test("bytes land at their offsets, and gaps are zero")
    func writes() throws {
        let file = try OutputFile(creating: directory("f"))
        try file.write([4, 5], at: 4)
        try file.write([1, 2], at: 0)
        try file.write([], at: 100)
        try file.synchronize()
        #expect(directory.read("f") == [1, 2, 0, 0, 4, 5])
        try file.setSize(3)
        #expect(directory.read("f") == [1, 2, 0])
        try file.setSize(5)
        file.close()
        #expect(directory.read("f") == [1, 2, 0, 0, 0])
    }

    @Test(
        "a range of a source is copied, from a file by the kernel and from elsewhere through memory",
        arguments: [true, false])
    func copies(isLocal: Bool) throws {
        let bytes = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 + $0 >> 11) }
        try directory.write(bytes, to: "source")
        let source: any ByteSource = isLocal ? try LocalFile(directory("source")) : MemorySource(bytes, path: "source")
        for (index, (range, place)) in [(0..<5_000_000, 0), (1234..<4_999_999, 77), (5..<5, 0)].enumerated() {
            let file = try OutputFile(creating: directory("\(index)"))
            var checks = 0
            try file.copy(range, of: source, to: place) { () throws(SiltError) in checks += 1 }
            file.close()
            #expect(
                directory.read("\(index)") == (range.isEmpty ? [] : [UInt8](repeating: 0, count: place) + bytes[range]))
            #expect(checks > 0 || range.isEmpty)
        }
    }

    @Test("a source that ends early is told, and a copy that is stopped ends", arguments: [true, false])
    func copiesInVain(isLocal: Bool) throws {
        try directory.write([UInt8](repeating: 1, count: 1000), to: "source")
        let source = try LocalFile(directory("source"))
        if isLocal { try directory.write([2, 2], to: "source") }
        let file = try OutputFile(creating: directory("f"))
        #expect(
            code {
                try file.copy(0..<1000, of: source, to: 0) { () throws(SiltError) in
                    if !isLocal { throw SiltError(.interrupted, "stopped") }
                }
            } == (isLocal ? .changed : .interrupted))
    }

    @Test("a taken name is refused, be it a file, a directory or a dangling link", arguments: ["f", "d", "l"])
    func taken(name: String) throws {
        try directory.write([1], to: "f")
        try directory.makeDirectory("d")
        try directory.link("l", to: "nowhere")
        #expect(code { _ = try OutputFile(creating: directory(name)) } == .cannotCreate)
        #expect(directory.read("f") == [1])
        #expect(directory.names == ["d", "f", "l"])
    }

    @Test("a missing directory is refused")
    func missingParent() { #expect(code { _ = try OutputFile(creating: directory("a/f")) } == .cannotCreate) }

    @Test("writing after closing fails, and closing twice does not")
    func closed() throws {
        let file = try OutputFile(creating: directory("f"))
        file.close()
        file.close()
        #expect(code { try file.write([1], at: 0) } == .io)
        #expect(code { try file.setSize(1) } == .io)
        #expect(code { try file.synchronize() } == .io)
    }

    @Test("offsets that no file has fail")
    func badOffsets() throws {
        let file = try OutputFile(creating: directory("f"))
        #expect(code { try file.write([1], at: .max) } == .io)
        #expect(code { try file.write([1], at: -1) } == .io)
        #expect(code { try file.setSize(-1) } == .io)
    }

    @Test("a lack of space is said in plain words")
    func noSpace() async {
        // The limit of the process stands for a full disk, which a test cannot have; it is for the whole process.
        await #expect(processExitsWith: .success) { [path = directory.path as String] in
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 1_000, rlim_max: 1_000)
            #if canImport(Glibc)
                let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
            #else
                let resource = RLIMIT_FSIZE
            #endif
            guard unsafe setrlimit(resource, &limit) == 0 else { exit(1) }
            let file = try OutputFile(creating: path + "/f")
            // The first write is short: it ends at the limit.
            let error = failure { try file.write([UInt8](repeating: 1, count: 1_001), at: 0) }
            guard error?.code == .io, error?.file == path + "/f" else { exit(2) }
            guard error?.message.contains("no space left") == true else { exit(3) }
            guard code({ try file.setSize(1_001) }) == .io else { exit(4) }
            exit(0)
        }
        #expect(directory.read("f")?.count == 1_000)
    }
}
