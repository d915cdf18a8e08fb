internal import Safetensors
internal import TensorTypes

/// The safetensors header of a Silt file (Formats/Silt.md, section 3).
enum ContainerHeader {
    static let payload = "silt.payload"
    static let chunks = "silt.chunks"
    static let manifest = "silt.manifest"

    /// Bytes that a writer reserves for the length field and the header: enough for the metadata and three entries with
    /// offsets of 19 digits.
    static let reserved = 768
    /// Of these, those for the header.
    static let room = reserved - 8

    /// The header for entries of these sizes, padded to `room` bytes, its `check` filled in.
    static func text(manifest: Manifest, manifestBytes: [UInt8], chunkBytes: [UInt8], payloadBytes: Int) -> [UInt8] {
        let blank = String(repeating: "0", count: 16)
        let sizes = [(payload, payloadBytes), (chunks, chunkBytes.count), (self.manifest, manifestBytes.count)]
        var metadata: [JSONValue.Member] = [
            .init("format", .string("silt")),
            .init("silt_version", .string(String(Manifest.version))),
            .init("contract", .string(manifest.contract.rawValue)),
            .init("about", .string("a delta checkpoint; rebuild the model with: silt unpack BASE FILE -o OUT")),
            .init("base", .string(manifest.base.root)),
        ]
        if !manifest.result.root.isEmpty { metadata.append(.init("result", .string(manifest.result.root))) }
        metadata += [
            .init("manifest", .string(Digest128(of: manifestBytes).hex)),
            .init("chunks", .string(Digest128(of: chunkBytes).hex)),
            .init("check", .string(blank)),
        ]
        var members: [JSONValue.Member] = [.init("__metadata__", .object(metadata))]
        var offset = 0
        for (name, size) in sizes {
            members.append(
                .init(
                    name,
                    .members([
                        "dtype": .string("U8"), "shape": .array([.integer(size)]),
                        "data_offsets": .array([.integer(offset), .integer(offset + size)]),
                    ])))
            offset += size
        }
        var text = JSONValue.object(members).serialized()
        text += [UInt8](repeating: 32, count: max(0, room - text.count))
        let check = self.check(text)
        return replacing(Array(blank.utf8), by: Array(check.utf8), in: text)
    }

    /// XXH3-64 as 16 hexadecimal digits, big-endian.
    static func check(_ text: [UInt8]) -> String {
        let hash = Checksum64.of(text)
        return Hex.string((0..<8).map { UInt8(truncatingIfNeeded: hash >> (56 - 8 * $0)) })
    }

    /// `text` with every occurrence of `pattern` replaced by as many bytes of `replacement`.
    static func replacing(_ pattern: [UInt8], by replacement: [UInt8], in text: [UInt8]) -> [UInt8] {
        var text = text
        var position = 0
        while position + pattern.count <= text.count {
            if text[position] == pattern[0], text[position..<position + pattern.count].elementsEqual(pattern) {
                text.replaceSubrange(position..<position + pattern.count, with: replacement)
                position += pattern.count
            } else {
                position += 1
            }
        }
        return text
    }
}
