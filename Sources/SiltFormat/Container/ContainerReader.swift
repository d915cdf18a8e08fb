internal import DeltaCodecs
internal import Safetensors
package import ByteSources
package import TensorTypes

/// An open Silt file whose header, chunk table and manifest have been checked.
///
/// Chunks are read one by one, by any thread.
package final class ContainerReader: Sendable {
    /// The file's path.
    package let path: String
    /// Bytes of the whole file.
    package let bytes: Int
    /// The header's metadata, for people.
    package let metadata: [String: String]
    package let manifest: Manifest
    package let chunks: ChunkTable

    let file: SafetensorsFile

    /// Opens and checks a file, in the order of Formats/Silt.md section 3.
    ///
    /// Reads no chunk.
    package convenience init(_ path: String) throws(SiltError) { try self.init(LocalFile(path)) }

    /// Opens and checks a file wherever it is: three reads, of the length, the header, and the table with the manifest.
    ///
    /// Reads no chunk.
    package init(_ source: any ByteSource) throws(SiltError) {
        path = source.path
        file = try SafetensorsFile(source)
        bytes = file.input.size
        do throws(SiltError) {
            metadata = try ContainerReader.checkMetadata(file.header)
            let stored = try ContainerReader.entries(of: file)
            chunks = try ContainerReader.chunkTable(stored.chunks, metadata, payloadBytes: stored.payloadBytes)
            manifest = try ContainerReader.manifest(stored.manifest, metadata, chunks, path)
        } catch {
            throw error.at(file: path)
        }
    }

    /// The same open file with another manifest, whose chunks are the file's.
    package init(_ other: ContainerReader, manifest: Manifest) {
        (path, bytes, metadata) = (other.path, other.bytes, other.metadata)
        (chunks, file) = (other.chunks, other.file)
        self.manifest = manifest
    }

    /// Reads chunk `index` into `buffer` and checks its checksum; returns its bytes.
    package func read(_ index: Int, into buffer: ByteBuffer) throws(SiltError) -> UnsafeRawBufferPointer {
        let range = chunks.range(index)
        buffer.reserve(range.count)
        let bytes = unsafe buffer.prefix(range.count)
        try unsafe file.read(range, into: bytes)
        guard unsafe Checksum64.of(UnsafeRawBufferPointer(bytes)) == chunks.checksum(index) else {
            throw fault(.checksum, chunk: index, "its checksum does not match: the file is damaged")
        }
        return UnsafeRawBufferPointer(bytes)
    }

    /// Where the file is.
    package var source: any ByteSource { file.input }

    /// Where chunk `index` lies in the file.
    package func place(of index: Int) -> Range<Int> {
        let range = chunks.range(index)
        return file.header.dataStart + range.lowerBound..<file.header.dataStart + range.upperBound
    }

    /// Reads a chunk of tables.
    package func tables(_ index: Int) throws(SiltError) -> [UInt8] {
        let buffer = ByteBuffer()
        let bytes = try unsafe read(index, into: buffer)
        return unsafe Array(bytes)
    }

    /// An error about chunk `index`, with its place in the file.
    package func fault(_ code: SiltError.Code, chunk index: Int, _ reason: String) -> SiltError {
        let start = UInt64(file.header.dataStart)
        let range = chunks.range(index)
        return SiltError(
            code, "chunk \(index): \(reason)", file: path,
            range: start + UInt64(range.lowerBound)..<start + UInt64(range.upperBound))
    }
}

extension ContainerReader {
    private static func checkMetadata(_ header: SafetensorsHeader) throws(SiltError) -> [String: String] {
        guard let metadata = header.metadata, metadata["format"] == "silt" else {
            throw SiltError(
                .notSilt, "the metadata of this safetensors file lack format: silt",
                advice: "give the .silt file here, and the base checkpoint before it")
        }
        guard let version = metadata["silt_version"], version == String(Manifest.version) else {
            throw SiltError(
                .version,
                "the file has version \(metadata["silt_version"] ?? "none"); this silt reads version \(Manifest.version)",
                advice: "update silt")
        }
        guard let check = metadata["check"], Hex.bytes(check)?.count == 8 else {
            throw SiltError(.checksum, "the header's check is missing or not 16 hexadecimal digits")
        }
        let blanked = ContainerHeader.replacing(
            Array(check.utf8), by: [UInt8](repeating: 48, count: 16), in: header.text)
        guard ContainerHeader.check(blanked) == check else {
            throw SiltError(.checksum, "the header does not match its checksum", range: 8..<UInt64(header.dataStart))
        }
        guard Contract(rawValue: metadata["contract"] ?? "") != nil else {
            throw SiltError(
                .version, "the contract \"\(metadata["contract"] ?? "")\" is unknown", advice: "update silt")
        }
        return metadata
    }

    private static func entries(
        of file: SafetensorsFile
    ) throws(SiltError) -> (payloadBytes: Int, chunks: [UInt8], manifest: [UInt8]) {
        let expected = [ContainerHeader.payload, ContainerHeader.chunks, ContainerHeader.manifest]
        let entries = file.header.entries
        for entry in entries where !expected.contains(entry.name) && !entry.name.hasPrefix("x-") {
            throw SiltError(.unknownExtension, "the entry \"\(entry.name)\" is unknown", advice: "update silt")
        }
        // Entries without bytes share an offset, so the order of names says nothing; that of the offsets does.
        var found: [SafetensorsHeader.Entry] = []
        var end = 0
        for name in expected {
            guard let entry = file.header[name] else {
                throw SiltError(.header, "the entry \"\(name)\" is missing")
            }
            guard entry.info.dtype == .u8, entry.info.shape.count == 1 else {
                throw SiltError(.header, "the entry \"\(name)\" must be U8 of rank 1, found \(entry.info.description)")
            }
            guard entry.range.lowerBound == end else {
                throw SiltError(.header, "the entry \"\(name)\" must begin at \(end), found \(entry.range.lowerBound)")
            }
            end = entry.range.upperBound
            found.append(entry)
        }
        guard entries.allSatisfy({ expected.contains($0.name) || $0.range.lowerBound >= end }) else {
            throw SiltError(.header, "an extension entry starts before the end of silt.manifest")
        }
        let start = file.header.dataStart
        // They follow one another: one read.
        let both = try file.input.bytes(start + found[1].range.lowerBound..<start + found[2].range.upperBound)
        let (chunks, manifest) = (both.prefix(found[1].range.count), both.dropFirst(found[1].range.count))
        return (found[0].range.count, Array(chunks), Array(manifest))
    }

    private static func chunkTable(
        _ stored: [UInt8], _ metadata: [String: String], payloadBytes: Int
    ) throws(SiltError) -> ChunkTable {
        guard Digest128(of: stored).hex == metadata["chunks"] else {
            throw SiltError(.checksum, "the chunk table does not match its digest in the header")
        }
        guard let table = ChunkTable(stored: stored) else {
            throw SiltError(.coverage, "the chunk table has \(stored.count) bytes, not a multiple of 12")
        }
        guard table.payloadBytes == payloadBytes else {
            throw SiltError(
                .coverage, "the chunks have \(table.payloadBytes) bytes, but silt.payload has \(payloadBytes)")
        }
        return table
    }

    /// Section 4: the caps come before the memory.
    private static func manifest(
        _ stored: [UInt8], _ metadata: [String: String], _ chunks: ChunkTable, _ path: String
    ) throws(SiltError) -> Manifest {
        guard Digest128(of: stored).hex == metadata["manifest"] else {
            throw SiltError(.checksum, "the manifest does not match its digest in the header")
        }
        guard let size = Zstd.contentSize(stored) else {
            throw SiltError(.manifest, "the manifest is not a zstd frame that states its content size")
        }
        let cap = UInt64(ManifestFrame.cap(stored: stored.count))
        guard size <= cap else {
            throw SiltError(.limit, "the manifest decodes to \(size) bytes; at most \(cap) are allowed")
        }
        var text = [UInt8](repeating: 0, count: Int(size))
        do throws(ChunkError) {
            let zstd = Zstd()
            let result = unsafe text.withUnsafeMutableBytes { output in
                unsafe stored.withUnsafeBytes { frame in
                    Result { () throws(ChunkError) in try unsafe zstd.decompress(frame, into: output) }
                }
            }
            try result.get()
        } catch {
            throw SiltError(.manifest, "the manifest does not decode: \(error.reason)")
        }
        let json: JSONValue
        do throws(JSONError) {
            json = try JSONValue(parsing: text)
        } catch {
            throw SiltError(
                error.isLimit ? .limit : .manifest,
                "the manifest is not JSON: \(error.reason) at byte \(error.offset)")
        }
        let contract = Contract(rawValue: metadata["contract"] ?? "") ?? .exact
        var parser = ManifestParser(file: path, contract: contract, chunks: chunks)
        let manifest = try parser.parse(json)
        guard manifest.base.root == metadata["base"], manifest.result.root == metadata["result"] ?? "" else {
            throw SiltError(.manifest, "the manifest and the header's metadata name different base or result roots")
        }
        return manifest
    }
}
