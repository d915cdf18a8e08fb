import CSiltKernels
import DeltaCodecs
import Safetensors
@testable import SiltFormat
import ByteSources
import TensorTypes
import TestSupport
import Testing

/// The numbers and names of Formats/Silt.md beside those of the code.
@Suite("The text of the format and the code's constants")
struct SpecificationTests {
    /// The text, with all white space as single spaces.
    private let text = Repository.text("Formats/Silt.md").split(whereSeparator: \.isWhitespace).joined(separator: " ")

    /// What the groups of `pattern` match at its first occurrence.
    private func groups(_ pattern: String) throws -> [String] {
        let match = try text.firstMatch(of: Regex(pattern))
        let found = try #require(match, "the text has nothing like \(pattern)")
        return found.output.dropFirst().compactMap { $0.substring.map(String.init) }
    }

    /// The numbers that the groups of `pattern` match.
    private func numbers(_ pattern: String) throws -> [Int] {
        try groups(pattern).map { try #require(Int($0.replacing(",", with: ""))) }
    }

    /// Names and `words` of a list like "A, `B` and C".
    private func names(_ list: String) -> [String] {
        list.replacing("`", with: "").replacing(" and ", with: ", ").split(separator: ", ").map {
            String($0.drop { $0 == " " })
        }
    }

    @Test("the version")
    func version() throws {
        #expect(try numbers(#"\*\*Version (\d+),"#) == [Manifest.version])
        #expect(SiltVersion.format == Manifest.version)
        #expect(try numbers(#"\| `silt` \| integer \| (\d+) \|"#) == [Manifest.version])
    }

    @Test("entries of the container")
    func entries() throws {
        for name in [ContainerHeader.payload, ContainerHeader.chunks, ContainerHeader.manifest] {
            #expect(text.contains("| `\(name)` |"))
        }
    }

    @Test("caps of safetensors and JSON")
    func safetensorsCaps() throws {
        #expect(try numbers(#"a u64 N of at most ([\d,]+)"#) == [SafetensorsHeader.limit])
        #expect(try numbers(#"nest at most (\d+) deep"#) == [JSONValue.depthLimit])
    }

    @Test("dtypes and their bits")
    func dtypes() throws {
        let list = try groups(#"The dtypes and their bits: ([^.]*)\."#)[0]
        var bits: [String: Int] = [:]
        for group in list.split(separator: "; ") {
            let words = group.split(separator: " ")
            for name in words.dropLast() {
                bits[String(name).replacing(",", with: "")] = words.last.flatMap { Int($0) }
            }
        }
        #expect(bits == Dictionary(uniqueKeysWithValues: DType.allCases.map { ($0.rawValue, $0.bits) }))
    }

    /// What opening a container gives whose manifest is `bytes` long and a zstd frame that states `size`.
    private func opening(manifestBytes bytes: Int, stating size: Int) throws -> SiltError.Code? {
        let directory = try TemporaryDirectory()
        // Magic, a descriptor with a content size of eight bytes and one segment, the size; then no block that decodes.
        var frame: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0xE0]
        frame.appendLittleEndian(UInt64(size))
        frame += [UInt8](repeating: 0xFF, count: bytes - frame.count)
        let header = ContainerHeader.text(
            manifest: try SampleContainer().manifest, manifestBytes: frame, chunkBytes: [], payloadBytes: 0)
        var file: [UInt8] = []
        file.appendLittleEndian(UInt64(header.count))
        try directory.write(file + header + frame, to: "x.silt")
        return code { _ = try ContainerReader(directory("x.silt")) }
    }

    @Test("caps of the manifest")
    func manifestCaps() throws {
        let caps = try numbers(
            #"decoded size is at most ([\d,]+) bytes and at most ([\d,]+) \+ ([\d,]+) times the stored size"#)
        let small = caps[1] + caps[2] * 100
        #expect(try opening(manifestBytes: 100, stating: small + 1) == .limit)
        #expect(try opening(manifestBytes: 100, stating: small) == .manifest)
        let stored = (caps[0] - caps[1]) / caps[2] + 1_000
        #expect(try opening(manifestBytes: stored, stating: caps[0] + 1) == .limit)
        #expect(try opening(manifestBytes: stored, stating: caps[0]) == .manifest)
    }

    @Test("caps of chunks")
    func chunkCaps() throws {
        let chunk = try numbers(#"at most (\d+) \* d \+ ([\d,]+) bytes"#)
        let tables = try numbers(#"a chunk of tables at most ([\d,]+)"#)[0]
        var table = ChunkTable()
        for size in [chunk[0] * 77 + chunk[1], chunk[0] * 77 + chunk[1] + 1, tables, tables + 1] {
            _ = table.append(size: size, checksum: 0)
        }
        var ledger = ChunkLedger(table)
        #expect(code { try ledger.check(0, decoded: 77, mayBeEmpty: true, at: "p") } == nil)
        #expect(code { try ledger.check(1, decoded: 77, mayBeEmpty: true, at: "p") } == .limit)
        #expect(code { try ledger.claimTables(2, at: "p") } == nil)
        #expect(code { try ledger.claimTables(3, at: "p") } == .limit)
    }

    @Test("pieces of files, the grid, bytes of the chunk table")
    func sizes() throws {
        #expect(try numbers(#"with pieces of ([\d,]+) bytes"#) == [FileRecord.piece])
        #expect(try numbers(#"ceil\(bytes / ([\d,]+)\)"#) == [FileRecord.piece])
        #expect(try numbers(#"\* floor\((\d+) / \w\)"#) == [Grid.limit])
        #expect(try numbers(#"else `C = (\d+)`"#) == [Grid.limit])
        var table = ChunkTable()
        _ = table.append(size: 1, checksum: 2)
        #expect(try numbers(#"## 5\. The chunk table (\d+) bytes for each chunk"#) == [table.stored.count])
    }

    @Test("lengths of paths and components")
    func paths() throws {
        #expect(try numbers(#"A path has 1 to ([\d,]+) bytes"#) == [RelativePath.limit])
        #expect(try numbers(#"components of 1 to (\d+) bytes"#) == [RelativePath.componentLimit])
    }

    @Test("evaluations")
    func evaluations() throws {
        #expect(try numbers(#"`evaluations` is an array of 1 to (\d+) objects"#) == [EvaluationRecord.limit])
        #expect(try numbers(#"`metric` \| string \| 1 to (\d+) characters"#) == [EvaluationRecord.metricLimit])
        let row = try groups(#"\| `use` \| string \|([^|]*)\|"#)[0]
        let uses = row.matches(of: try Regex("`([a-z]+)`: ")).compactMap { $0.output[1].substring.map(String.init) }
        #expect(uses == DataUse.allCases.map(\.rawValue))
    }

    @Test("lanes and frequencies of rANS")
    func rans() throws {
        let lanes = try numbers(#"L = (\d+) if n >= ([\d,]+), else 1"#)
        #expect(lanes == [Int(SILT_LANES), Int(SILT_LANES_FROM)])
        #expect([lanes[1] - 1, lanes[1]].map { Rans.lanes(for: $0) } == [1, lanes[0]])
        #expect(try numbers(#"frequency f\(s\), 0 to ([\d,]+), with sum ([\d,]+)"#) == [4_096, FrequencyTable.total])
    }

    @Test("alphabets of the residual")
    func alphabets() throws {
        for width in [8, 16, 32] {
            let row = try numbers(#"\| W \| g \| alphabet \|.*?\| (\#(width)) \| (\d+) \| (\d+) \|"#)
            #expect(
                row == [width, ResidualTables.directBits(width: width), ResidualTables.alphabet(width: width)])
        }
    }

    @Test("classes of the residual")
    func classes() throws {
        #expect(try numbers(#"1 \+ min\((\d+), max\(0, R - 2 E\)\)"#) == [Int(SILT_CLASSES) - 2])
        #expect(try numbers(#"Bit c \(1 to (\d+)\) set"#) == [Int(SILT_CLASSES) - 1])
    }

    @Test("dtypes that have a residual, and their exponents")
    func exponents() throws {
        let floats = DType.allCases.filter { $0.floatLayout != nil }
        #expect(Set(names(try groups(#"`exact` is allowed for ([^.]*)\."#)[0])) == Set(floats.map(\.rawValue)))
        let list = try groups(#"E is the exponent field of the \*base's\* pattern: bits ([^.]*)\."#)[0]
        var fields: [String: ClosedRange<Int>] = [:]
        for match in list.matches(of: try Regex(#"(\d+) to (\d+) for ((?:[A-Z0-9_]+(?: and )?)+)"#)) {
            let values = match.output.dropFirst().compactMap { $0.substring.map(String.init) }
            for name in names(values[2]) { fields[name] = try #require(Int(values[0]))...#require(Int(values[1])) }
        }
        #expect(fields.count == floats.count)
        for dtype in floats {
            let layout = try #require(dtype.floatLayout)
            #expect(fields[dtype.rawValue] == layout.mantissaBits...layout.mantissaBits + layout.exponentBits - 1)
        }
    }

    @Test("kinds and codecs")
    func kinds() throws {
        for kind in PartKind.allCases { #expect(text.contains("`\(kind.rawValue)`: ")) }
        #expect(
            Set(names(try groups(#"xor and whole: (`rans`, [^|]*?) \|"#)[0].replacing(" or ", with: ", ")))
                == Set(Codec.allCases.map(\.rawValue)))
        for form in Manifest.Form.allCases { #expect(text.contains("`\(form.rawValue)`: ")) }
    }

    @Test("the classes of errors in section 9")
    func errors() throws {
        let section = try groups(#"## 9\. Errors(.*?)## 10\."#)[0]
        let table = section.matches(of: try Regex(#"\| ((?:`[a-z-]+`(?:, )?)+) \|"#)).flatMap { match in
            names(match.output[1].substring.map(String.init) ?? "")
        }
        let ofTheFormat = SiltError.Code.all.filter(\.isOfFormat)
        #expect(table == ofTheFormat.map(\.name))
    }

    @Test("conversions: the dtypes")
    func conversions() throws {
        let list = names(try groups(#"both are among ([^,]*(?:, [A-Z0-9]+)* and [A-Z0-9]+),"#)[0])
        let convertible = DType.allCases.filter { $0 != .f32 && DType.f32.converts(to: $0) } + [.f32]
        #expect(Set(list) == Set(convertible.map(\.rawValue)))
    }
}
