internal import DeltaCodecs
internal import Safetensors
internal import ByteSources
internal import TensorTypes

/// Reads an update, tensor by tensor.
final class WeightSyncReader {
    let index: WeightSyncIndex
    /// The changed tensors, ascending by the bytes of their names.
    let names: [String]
    private let directory: String
    private let files: [String: SafetensorsFile]
    private let zstd = Zstd()

    /// Opens the update in `directory`.
    init(_ directory: String) throws(SiltError) {
        guard DirectoryListing.kind(of: directory) == .directory else {
            throw SiltError(.inputMissing, "expected the directory of a weight update", file: directory)
        }
        self.directory = directory
        index = try WeightSyncIndex(in: directory)
        var files: [String: SafetensorsFile] = [:]
        for (name, file) in index.weightMap.sorted(by: { $0.key < $1.key }) {
            let opened: SafetensorsFile
            if let known = files[file] {
                opened = known
            } else {
                opened = try SafetensorsFile(DirectoryListing.join(directory, file))
                files[file] = opened
            }
            guard let entry = opened.header[name] else {
                throw SiltError(
                    .header, "the tensor is not in this file, but the index says so", file: opened.path, tensor: name)
            }
            guard entry.info.dtype == .u8, entry.info.shape.count == 1 else {
                throw SiltError(
                    .header, "expected a zstd frame as U8 [n], found \(entry.info.description)", file: opened.path,
                    tensor: name)
            }
            guard opened.header.metadata?[name] != nil else {
                throw SiltError(.header, "the file's metadata have no checksum", file: opened.path, tensor: name)
            }
        }
        self.files = files
        names = index.weightMap.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// The files that the update is read from.
    var paths: [String] {
        [DirectoryListing.join(directory, ShardIndex.fileName)] + files.values.map(\.path)
    }

    /// The new bytes of a tensor of the base; nil if the update does not change it.
    ///
    /// Throws `chunk` for damaged data, `baseContent` if the checksum differs.
    func bytes(of tensor: Checkpoint.Tensor) throws(SiltError) -> [UInt8]? {
        guard let path = index.weightMap[tensor.name], let file = files[path] else { return nil }
        let frame = try file.bytes(of: tensor.name)
        let bytes: [UInt8]
        switch index.encoding {
        case .xor: bytes = try xored(frame, tensor, file)
        case .overwrite: bytes = try overwritten(frame, tensor, file)
        }
        let expected = file.header.metadata?[tensor.name] ?? ""
        guard index.checksum.text(of: bytes) == expected else {
            throw SiltError(
                .baseContent, "the new bytes do not have the checksum in the update, \(expected)", file: file.path,
                tensor: tensor.name,
                advice: "give the checkpoint of version \(index.baseVersion); if you did, the update is damaged")
        }
        return bytes
    }

    private func xored(
        _ frame: [UInt8], _ tensor: Checkpoint.Tensor, _ file: SafetensorsFile
    ) throws(SiltError) -> [UInt8] {
        var bytes = try decoded(frame, tensor.info.bytes, tensor, file)
        try ByteDifference.xor(&bytes, with: tensor)
        return bytes
    }

    private func overwritten(
        _ frame: [UInt8], _ tensor: Checkpoint.Tensor, _ file: SafetensorsFile
    ) throws(SiltError) -> [UInt8] {
        func refuse(_ message: String) -> SiltError {
            SiltError(.chunk, message, file: file.path, tensor: tensor.name)
        }
        // At most every byte, with its position.
        let (limit, overflow) = tensor.info.bytes.multipliedReportingOverflow(by: 5)
        guard let size = Zstd.contentSize(frame), !overflow, size >= 4, size <= UInt64(limit) + 4 else {
            throw refuse("the frame does not state a size that a difference of \(tensor.info.bytes) bytes can have")
        }
        let difference = try decoded(frame, Int(size), tensor, file)
        var cursor = ByteCursor(difference)
        let count = Int(cursor.integer(UInt32.self) ?? 0)
        guard difference.count == 4 + 5 * count else {
            throw refuse("\(count) changed bytes take \(4 + 5 * count) bytes, but there are \(difference.count)")
        }
        var bytes = try tensor.bytes(0..<tensor.info.bytes)
        var last = -1
        for number in 0..<count {
            let position = Int(cursor.integer(UInt32.self) ?? 0)
            guard position > last, position < bytes.count else {
                throw refuse(
                    "position \(number) is \(position): not ascending, or past the tensor's \(bytes.count) bytes")
            }
            bytes[position] = difference[4 + 4 * count + number]
            last = position
        }
        return bytes
    }

    private func decoded(
        _ frame: [UInt8], _ size: Int, _ tensor: Checkpoint.Tensor, _ file: SafetensorsFile
    ) throws(SiltError) -> [UInt8] {
        // Before memory is taken: what the frame says must be what the tensor needs.
        if let stated = Zstd.contentSize(frame), stated != UInt64(size) {
            throw SiltError(
                .chunk, "the frame decodes to \(stated) bytes instead of \(size)", file: file.path, tensor: tensor.name)
        }
        var bytes = [UInt8](repeating: 0, count: size)
        let result = unsafe bytes.withUnsafeMutableBytes { output in
            unsafe frame.withUnsafeBytes { input in
                Result { () throws(ChunkError) in try unsafe zstd.decompress(input, into: output) }
            }
        }
        do {
            try result.get()
        } catch {
            throw SiltError(.chunk, "damaged: \(error.reason)", file: file.path, tensor: tensor.name)
        }
        return bytes
    }
}
