internal import ByteSources
internal import DeltaCodecs
internal import Logging
internal import Safetensors
internal import SiltFormat
internal import SiltReading
internal import TensorTypes
internal import TestSupport
internal import Workers

extension FuzzTarget {
    /// A Silt file as it stands, but for its checksums, which are set right where they can be found.
    static let container = FuzzTarget("container") {
        VectorParts.all("valid", limit: 6_000).map(\.bytes)
    } body: { input in
        _ = try ContainerReader(MemorySource(SealedContainer.sealed(input), path: "fuzz"))
    }

    /// The manifest's text, after the sizes of the chunks that the file has.
    static let manifest = FuzzTarget("manifest") {
        parts(valid: 20_000, invalid: 3_000).map { FuzzTarget.input(manifest: $0) }
    } body: { bytes in
        var input = FuzzInput(bytes)
        let (chunks, text) = (FuzzTarget.chunks(&input), input.rest())
        let json = try JSONValue(parsing: text)
        var parser = ManifestParser(
            file: "fuzz", contract: FuzzTarget.contract(json), chunks: SealedContainer.table(chunks.map { ($0, 0) }))
        let manifest = try parser.parse(json)
        // What is written of it means the same.
        var again = ManifestParser(
            file: "fuzz", contract: manifest.contract, chunks: SealedContainer.table(chunks.map { ($0, 0) }))
        guard try again.parse(JSONValue(parsing: manifest.json.serialized())).tensors == manifest.tensors else {
            throw FuzzFailure(reason: "the manifest changes when it is written")
        }
    }

    /// A whole file over one of the vectors' bases: what it gives back is rebuilt, and compared with what it says.
    static let file = FuzzTarget("file") {
        parts(valid: 9_000, invalid: 0).map { part in
            var output = FuzzOutput()
            output.byte(part.base)
            output.rest(FuzzTarget.input(manifest: part, isLast: false))
            output.rest(part.payload)
            return output.bytes
        }
    } body: { bytes in
        var input = FuzzInput(bytes)
        let base = input.choice(VectorParts.bases)
        let sizes = FuzzTarget.chunks(&input)
        let text = input.take(Int(input.word()))
        let chunks = sizes.map { input.take($0) }
        let container = try ContainerReader(
            MemorySource(SealedContainer.file(manifest: text, chunks: chunks), path: "fuzz"))
        let context = WorkContext(threads: 1, log: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() })
        let binding = BaseBinding(checkpoint: try Checkpoint(base: Repository.path(base)))
        _ = try Verifier(context).verify(container, binding, against: nil, survey: nil)
    }

    private static func parts(valid: Int, invalid: Int) -> [VectorParts] {
        VectorParts.all("valid", limit: valid) + VectorParts.all("invalid", limit: invalid)
    }

    private static func input(manifest part: VectorParts, isLast: Bool = true) -> [UInt8] {
        var output = FuzzOutput()
        output.short(part.chunkSizes.count)
        for size in part.chunkSizes { output.word(UInt32(size)) }
        if !isLast { output.word(UInt32(part.manifest.count)) }
        output.rest(part.manifest)
        return output.bytes
    }

    private static func chunks(_ input: inout FuzzInput) -> [Int] {
        let count = input.short() % 512
        return (0..<count).map { _ in Int(input.word()) }
    }

    static func contract(_ json: JSONValue) -> Contract {
        guard case .string(let name) = json["contract"] else { return .exact }
        return Contract(rawValue: name) ?? .exact
    }
}

/// Containers whose checksums are right, whatever is in them.
enum SealedContainer {
    static func table(_ chunks: [(size: Int, checksum: UInt64)]) -> ChunkTable {
        chunks.reduce(into: ChunkTable()) { _ = $0.append(size: $1.size, checksum: $1.checksum) }
    }

    /// A file with this manifest.
    static func file(manifest text: [UInt8], chunks: [[UInt8]]) -> [UInt8] {
        let table = table(chunks.map { ($0.count, Checksum64.of($0)) }).stored
        let frame = Zstd().compress(text, level: 1)
        let payload = chunks.flatMap { $0 }
        let json = try? JSONValue(parsing: text)
        func root(_ key: String) -> JSONValue? {
            guard case .string(let root) = json?[key]?["root"] else { return nil }
            return .string(root)
        }
        var metadata: [JSONValue.Member] = [
            .init("format", .string("silt")), .init("silt_version", .string(String(Manifest.version))),
            .init("contract", .string(json.map(FuzzTarget.contract)?.rawValue ?? "exact")),
            .init("base", root("base") ?? .string("")),
        ]
        if let root = root("result") { metadata.append(.init("result", root)) }
        for name in ["manifest", "chunks"] { metadata.append(.init(name, .string(String(repeating: "0", count: 32)))) }
        metadata.append(.init("check", .string(String(repeating: "0", count: 16))))
        var members: [JSONValue.Member] = [.init("__metadata__", .object(metadata))]
        var offset = 0
        for (name, size) in [
            ("silt.payload", payload.count), ("silt.chunks", table.count), ("silt.manifest", frame.count),
        ] {
            members.append(
                .init(
                    name,
                    .members([
                        "dtype": .string("U8"), "shape": .array([.integer(size)]),
                        "data_offsets": .array([.integer(offset), .integer(offset + size)]),
                    ])))
            offset += size
        }
        let header = JSONValue.object(members).serialized()
        var bytes: [UInt8] = []
        bytes.appendLittleEndian(UInt64(header.count))
        return sealed(bytes + header + payload + table + frame)
    }

    /// The file with the digests of its manifest and chunks and the check of its header, where it has places for them.
    static func sealed(_ file: [UInt8]) -> [UInt8] {
        guard file.count >= 8 else { return file }
        let length = file[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(file.count - 8), let json = try? JSONValue(parsing: Array(file[8..<8 + Int(length)]))
        else { return file }
        var header = Array(file[8..<8 + Int(length)])
        let data = file[(8 + Int(length))...]
        func digest(_ name: String) -> String? {
            guard case .array(let offsets) = json[name]?["data_offsets"], offsets.count == 2,
                case .integer(let start) = offsets[0], case .integer(let end) = offsets[1], start >= 0, start <= end,
                end <= data.count
            else { return nil }
            return Digest128(of: Array(data.dropFirst(start).prefix(end - start))).hex
        }
        for (key, name) in [("manifest", "silt.manifest"), ("chunks", "silt.chunks")] {
            if let digest = digest(name) { put(digest, key, in: &header) }
        }
        put(String(repeating: "0", count: 16), "check", in: &header)
        let hash = Checksum64.of(header)
        put(Hex.string((0..<8).map { UInt8(truncatingIfNeeded: hash >> (56 - 8 * $0)) }), "check", in: &header)
        return Array(file[..<8]) + header + data
    }

    /// Writes `value` over the string of `key`, if there is one that is as long.
    private static func put(_ value: String, _ key: String, in text: inout [UInt8]) {
        let pattern = Array("\"\(key)\":\"".utf8)
        var start = 0
        while start + pattern.count + value.utf8.count < text.count {
            if text[start..<start + pattern.count].elementsEqual(pattern) {
                let first = start + pattern.count
                let end = first + value.utf8.count
                if text[end] == UInt8(ascii: "\""), !text[first..<end].contains(UInt8(ascii: "\"")) {
                    text.replaceSubrange(first..<end, with: value.utf8)
                }
                return
            }
            start += 1
        }
    }
}
