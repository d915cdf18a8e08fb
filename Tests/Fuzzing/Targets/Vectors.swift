internal import DeltaCodecs
internal import Safetensors
internal import SiltFormat
internal import TensorTypes
internal import TestSupport

/// The committed vectors, taken apart.
struct VectorParts {
    /// Bases by the byte that names them in an input.
    static let bases = ["tiny", "small", "ranks", "convert", "lanes", "cells"].map {
        "Formats/Vectors/bases/\($0).safetensors"
    }

    let bytes: [UInt8]
    let base: Int
    /// The manifest's text.
    let manifest: [UInt8]
    let chunkSizes: [Int]
    let payload: [UInt8]
    /// The same, parsed; nil if it is invalid.
    let reader: ContainerReader?

    /// Those of one kind (`valid`, `invalid`) whose container can be taken apart and that are small.
    static func all(_ kind: String, limit: Int = 20_000) -> [VectorParts] {
        Repository.names(in: "Formats/Vectors/\(kind)").filter { $0.hasSuffix(".silt") }.compactMap { name in
            VectorParts("Formats/Vectors/\(kind)/\(name)", limit)
        }
    }

    private init?(_ path: String, _ limit: Int) {
        guard let file = try? SafetensorsFile(Repository.path(path)), let bytes = Repository.bytes(path),
            bytes.count <= limit, let stored = try? file.bytes(of: "silt.manifest"),
            let size = Zstd.contentSize(stored), size < 1 << 20, let table = try? file.bytes(of: "silt.chunks"),
            let chunks = ChunkTable(stored: table), let payload = try? file.bytes(of: "silt.payload")
        else { return nil }
        var text = [UInt8](repeating: 0, count: Int(size))
        let isWhole = unsafe text.withUnsafeMutableBytes { output in
            unsafe stored.withUnsafeBytes { frame in
                unsafe (try? Zstd().decompress(frame, into: output)) != nil
            }
        }
        guard isWhole else { return nil }
        let facts = Repository.bytes(String(path.dropLast(5)) + ".json").flatMap { try? JSONValue(parsing: $0) }
        var base = 0
        if case .string(let name) = facts?["base"] {
            base = VectorParts.bases.firstIndex(of: "Formats/Vectors/" + name) ?? 0
        }
        (self.bytes, self.base, manifest, self.payload) = (bytes, base, text, payload)
        chunkSizes = (0..<chunks.count).map(chunks.size)
        reader = try? ContainerReader(Repository.path(path))
    }

    /// The bytes of a chunk.
    func chunk(_ index: Int) -> [UInt8] {
        guard let range = reader?.chunks.range(index), range.upperBound <= payload.count else { return [] }
        return Array(payload[range])
    }
}

extension ContainerReader {
    /// Every part with its tensor.
    var parts: [(TensorRecord, PartRecord)] { manifest.tensors.flatMap { tensor in tensor.parts.map { (tensor, $0) } } }
}
