internal import Safetensors
package import ByteSources
internal import SiltFormat
public import TensorTypes

/// A file of the result, any bytes of which can be read without its being written anywhere.
public struct RebuiltFile: Sendable {
    private enum Content: Sendable {
        /// The length field, the header's text, and the tensors in the order of their bytes.
        case safetensors(prefix: [UInt8], text: [UInt8], tensors: ArraySlice<ModelTensor>)
        case pieces(FileRebuild)
    }

    private let model: SiltModel
    private let record: FileRecord
    private let content: Content

    init(_ model: SiltModel, _ index: Int, firstTensor: Int) throws(SiltError) {
        self.model = model
        record = model.file.container.manifest.files[index]
        switch record.content {
        case .safetensors(let header, let records):
            var prefix: [UInt8] = []
            prefix.appendLittleEndian(UInt64(header.text.count))
            content = .safetensors(
                prefix: prefix, text: header.text, tensors: model.tensors[firstTensor..<firstTensor + records.count])
        case .stored, .base: content = .pieces(try FileRebuild(record, model.binding))
        }
    }

    /// Its path, relative to the result's directory.
    public var name: String { record.path }

    /// What messages call it: its path below that of the Silt file.
    package var path: String { RebuiltTree(model).path(of: record.path) }

    /// Bytes of the whole file.
    public var size: Int { record.bytes }

    /// The bytes `range` of the file.
    ///
    /// Only the cells and pieces that they touch are decoded; what is verified is said at `SiltModel`.
    ///
    /// - Throws: `usage` for a range beyond the end; as `SiltModel.tensor`.
    public func read(_ range: Range<Int>) throws(SiltError) -> [UInt8] {
        guard range.lowerBound >= 0, range.upperBound <= size else {
            throw SiltError(
                .usage, "bytes \(range.lowerBound)..<\(range.upperBound) of a file of \(size) bytes", file: path)
        }
        return try bytes(range)
    }
}

extension RebuiltFile: ByteSource {
    package var version: SourceVersion {
        SourceVersion(of: [model.file.container.source.version] + model.baseSources.map(\.version))
    }

    package func currentVersion() throws(SiltError) -> SourceVersion {
        var versions = [try model.file.container.source.currentVersion()]
        for source in model.baseSources { versions.append(try source.currentVersion()) }
        return SourceVersion(of: versions)
    }

    package func read(upTo buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(SiltError) -> Int {
        guard offset >= 0, offset < size, buffer.count > 0 else { return 0 }
        switch content {
        case .safetensors(let prefix, let text, let tensors):
            if offset < prefix.count { return unsafe RebuiltFile.copy(prefix, from: offset, to: buffer) }
            if offset < prefix.count + text.count {
                return unsafe RebuiltFile.copy(text, from: offset - prefix.count, to: buffer)
            }
            return try unsafe read(upTo: buffer, at: offset - prefix.count - text.count, tensors)
        case .pieces(let rebuild):
            let worker = model.takeWorker()
            defer { model.giveBack(worker) }
            worker.held = nil
            let piece = offset / FileRecord.piece
            let bytes = try unsafe rebuild.rebuild(piece, model.file.container, worker)
            let start = offset - piece * FileRecord.piece
            let count = min(buffer.count, bytes.count - start)
            unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]))
            try rebuild.checkUnchanged(model.file.container)
            try rebuild.judge()
            return count
        }
    }

    /// Reads from the one tensor that `offset`, counted from the start of the data, lies in.
    private func read(
        upTo buffer: UnsafeMutableRawBufferPointer, at offset: Int, _ tensors: ArraySlice<ModelTensor>
    ) throws(SiltError) -> Int {
        var (low, high) = (tensors.startIndex, tensors.endIndex)
        while low < high {
            let middle = (low + high) / 2
            if tensors[middle].record.range.upperBound > offset { high = middle } else { low = middle + 1 }
        }
        guard low < tensors.endIndex, tensors[low].record.range.contains(offset) else {
            throw SiltError(.fault, "no tensor has byte \(offset) of the data", file: path)
        }
        let range = tensors[low].record.range
        let count = min(buffer.count, range.upperBound - offset)
        try unsafe model.read(
            tensors[low], into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]), at: offset - range.lowerBound
        )
        return count
    }

    private static func copy(_ bytes: [UInt8], from start: Int, to buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(buffer.count, bytes.count - start)
        unsafe bytes.withUnsafeBytes { all in
            unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: all[start..<start + count]))
        }
        return count
    }
}
