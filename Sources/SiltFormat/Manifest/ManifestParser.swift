internal import Safetensors
internal import ByteSources
package import TensorTypes

/// Turns the manifest's JSON into records, and checks every rule of Formats/Silt.md section 4 that it can check alone; what
/// needs the sizes of chunks is checked by `ChunkLedger`.
package struct ManifestParser {
    /// Name of the Silt file, for errors.
    let file: String
    private(set) var ledger: ChunkLedger
    /// The contract that the header's metadata state.
    private let metadataContract: Contract
    private var contract = Contract.exact
    /// The tensors so far.
    private var earlier = EarlierTensors()

    package init(file: String, contract: Contract, chunks: ChunkTable) {
        self.file = file
        metadataContract = contract
        ledger = ChunkLedger(chunks)
    }

    package mutating func parse(_ json: JSONValue) throws(SiltError) -> Manifest {
        var fields = try Fields(json, at: "manifest")
        let version = try fields.integer("silt")
        guard version == Manifest.version else {
            throw SiltError(
                .version, "the manifest has version \(version); this silt reads version \(Manifest.version)",
                advice: "update silt")
        }
        contract = try fields.choice("contract", Contract.self)
        guard contract == metadataContract else {
            throw SiltError(
                .manifest,
                "manifest.contract is \(contract.rawValue), the header's metadata say "
                    + metadataContract.rawValue)
        }
        for required in try fields.array("requires") {
            guard case .string(let name) = required else {
                throw Fields.wrong("manifest.requires", expected: "an array of strings", found: required)
            }
            throw SiltError(
                .unknownExtension, "the file needs the extension \"\(name)\", which this silt does not have",
                advice: "update silt")
        }
        let writer = try fields.string("writer")
        let form = try fields.choice("form", Manifest.Form.self)
        var base = try Fields(fields.value("base"), at: "manifest.base")
        let baseIdentity = try identity(&base)
        try base.finish()
        var result = try Fields(fields.value("result"), at: "manifest.result")
        let hasRoot = result.has("root")
        let resultIdentity = try identity(&result, mayLackRoot: contract == .lossy)
        let bytes = try result.integer("bytes")
        try result.finish()
        var files: [FileRecord] = []
        for (index, value) in try fields.array("files").enumerated() {
            files.append(try fileRecord(value, at: "files[\(index)]"))
        }
        var manifest = Manifest(
            contract: contract, writer: writer, form: form, base: baseIdentity, result: resultIdentity, bytes: bytes,
            files: files)
        guard contract == .lossy || !fields.has("source") else {
            throw SiltError(.manifest, "manifest.source must be absent: the file is exact")
        }
        if fields.has("source") { manifest.source = try fields.sha256("source") }
        manifest.receipt = try ManifestParser.receipt(&fields, contract)
        manifest.evaluations = try ManifestParser.evaluations(&fields, contract)
        manifest.packing = try ManifestParser.packing(&fields)
        manifest.adapter = try adapter(&fields, files)
        try fields.finish()
        try RelativePath.check(all: files.map(\.path))
        try checkForm(manifest)
        guard hasRoot == manifest.tensors.allSatisfy({ $0.digest != nil }) else {
            throw SiltError(
                .manifest, "manifest.result.root must be absent if the digest of a tensor is, and only then")
        }
        let tensors = manifest.tensors.count
        guard manifest.result.tensors == tensors else {
            throw SiltError(
                .coverage,
                "manifest.result.tensors is \(manifest.result.tensors), but the files have \(tensors) tensors")
        }
        try ledger.finish()
        return manifest
    }

    private func identity(_ fields: inout Fields, mayLackRoot: Bool = false) throws(SiltError) -> Identity {
        Identity(
            root: mayLackRoot && !fields.has("root") ? "" : try fields.sha256("root"),
            tensors: try fields.integer("tensors"),
            parameters: try fields.integer("parameters"))
    }

    private func checkForm(_ manifest: Manifest) throws(SiltError) {
        if manifest.form == .file {
            guard manifest.files.count == 1 else {
                throw SiltError(.coverage, "a result of form \"file\" has \(manifest.files.count) files")
            }
            guard case .safetensors = manifest.files[0].content else {
                throw SiltError(.manifest, "a result of form \"file\" must be of kind safetensors")
            }
        }
        var total = 0
        for file in manifest.files {
            let (sum, overflow) = total.addingReportingOverflow(file.bytes)
            guard !overflow else { throw SiltError(.coverage, "the sizes of the files add up to more than 2^63") }
            total = sum
        }
        guard total == manifest.bytes else {
            throw SiltError(.coverage, "manifest.result.bytes is \(manifest.bytes), but the files have \(total) bytes")
        }
    }

    private mutating func fileRecord(_ value: JSONValue, at place: String) throws(SiltError) -> FileRecord {
        var fields = try Fields(value, at: place)
        let path = try fields.string("path")
        try RelativePath.check(path)
        let kind = try fields.string("kind")
        let bytes = try fields.integer("bytes")
        let hasHash = contract == .exact || kind != "safetensors"
        guard hasHash || !fields.has("sha256") else {
            throw SiltError(.manifest, "\(place).sha256 must be absent: the file is lossy")
        }
        let sha256 = hasHash ? try fields.sha256("sha256") : nil
        let content: FileRecord.Content
        switch kind {
        case "safetensors":
            let text = Array(try fields.string("header").utf8)
            let header: SafetensorsHeader
            do throws(SiltError) {
                header = try SafetensorsHeader(text: text, fileBytes: bytes, file: path)
            } catch {
                // Its own file is not there to be cut short: a length that does not fit is a rule broken.
                throw SiltError(.header, "\(place).header: \(error.message)", tensor: error.tensor)
            }
            content = .safetensors(
                header: header, tensors: try tensors(fields.value("tensors"), header, path, at: place))
        case "stored":
            let digest = try fields.digest("digest")
            let pieces = try pieces(&fields, bytes: bytes, of: "the file")
            content = .stored(digest: digest, codec: pieces.codec, chunks: pieces.chunks)
        case "base":
            let from = try fields.string("from")
            try RelativePath.check(from)
            content = .base(digest: try fields.digest("digest"), from: from)
        default:
            throw SiltError(.manifest, "\(place).kind must be one of safetensors, stored, base, found \"\(kind)\"")
        }
        try fields.finish()
        return FileRecord(path: path, bytes: bytes, sha256: sha256, content: content)
    }

    /// The chunks of what is stored in pieces: a file, or a tensor of an adapter.
    mutating func pieces(
        _ fields: inout Fields, bytes: Int, of owner: String
    ) throws(SiltError) -> (codec: Codec, chunks: Range<Int>) {
        let place = fields.place
        let codec = try fields.choice("codec", Codec.self)
        guard codec == .zstd || codec == .none else {
            throw SiltError(.manifest, "\(place).codec must be zstd or none, found \(codec.rawValue)")
        }
        let count = FileRecord.pieces(bytes)
        guard fields.has("chunk") == (count > 0) else {
            throw SiltError(.manifest, "\(place).chunk must be present if \(owner) has bytes, and only then")
        }
        let chunks = try ledger.claim(try fields.optionalInteger("chunk") ?? 0, count, at: place)
        for (piece, chunk) in chunks.enumerated() {
            let decoded = min(FileRecord.piece, bytes - piece * FileRecord.piece)
            try ledger.check(chunk, decoded: decoded, mayBeEmpty: false, at: place)
        }
        return (codec, chunks)
    }

    private mutating func tensors(
        _ value: JSONValue?, _ header: SafetensorsHeader, _ path: String, at place: String
    ) throws(SiltError) -> [TensorRecord] {
        guard case .object(let members) = value else {
            throw Fields.wrong("\(place).tensors", expected: "an object", found: value)
        }
        let byName = Dictionary(members.map { (ByteName($0.key), $0.value) }, uniquingKeysWith: { first, _ in first })
        var records: [TensorRecord] = []
        for entry in header.entries {
            guard let value = byName[ByteName(entry.name)] else {
                throw SiltError(.coverage, "\(place).tensors lacks this tensor of the header", tensor: entry.name)
            }
            let record = try tensor(value, entry, path, at: "\(place).tensors[\"\(entry.name)\"]")
            earlier.add(record, in: path)
            records.append(record)
        }
        guard members.count == records.count else {
            let known = Set(records.map { ByteName($0.name) })
            let extra = members.map(\.key).first { !known.contains(ByteName($0)) } ?? "?"
            throw SiltError(.coverage, "\(place).tensors has a tensor that the header lacks", tensor: extra)
        }
        return records
    }

    private mutating func tensor(
        _ value: JSONValue, _ entry: SafetensorsHeader.Entry, _ path: String, at place: String
    ) throws(SiltError) -> TensorRecord {
        var fields = try Fields(value, at: place)
        let digest = contract == .lossy && !fields.has("digest") ? nil : try fields.digest("digest")
        let base = try SourceParser(entry: entry, path: path, digest: digest, earlier: earlier, place: place).parse(
            &fields)
        let values = try fields.array("parts")
        guard values.count <= TensorRecord.partLimit else {
            throw SiltError(
                .limit, "\(place) has \(values.count) parts; at most \(TensorRecord.partLimit) are allowed",
                tensor: entry.name)
        }
        var parts: [PartRecord] = []
        var done = 0
        for (index, value) in values.enumerated() {
            let part = try PartParser(entry: entry, base: base, place: "\(place).parts[\(index)]").parse(
                value, from: done, isLast: index == values.count - 1, ledger: &ledger)
            done = part.elements.upperBound
            parts.append(part)
        }
        guard done == entry.info.elements else {
            throw SiltError(
                .coverage, "the parts have \(done) elements, the tensor has \(entry.info.elements)", tensor: entry.name)
        }
        guard (base != nil) == parts.contains(where: { $0.kind != .whole }) else {
            throw SiltError(
                .manifest, "\(place).sources must be present if a part refers to the base, and only then",
                tensor: entry.name)
        }
        let receipt = try ManifestParser.receipt(&fields, contract)
        try fields.finish()
        let record = TensorRecord(
            name: entry.name, info: entry.info, range: entry.range, digest: digest, base: base, parts: parts,
            receipt: receipt)
        guard record.hasComponents || record.copiesUnknown || digest != nil else {
            throw SiltError(
                .manifest, "\(place) has no components: it must have a digest", tensor: entry.name)
        }
        return record
    }
}
