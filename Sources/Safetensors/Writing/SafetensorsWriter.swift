package import ByteSources
internal import Synchronization
public import TensorTypes

/// Writes a safetensors file of any size: the header first, then the tensors' bytes in any order and in pieces of any size.
///
/// Threads may share it. The file appears under its name only when `commit` returns, and `commit` refuses a file in which a byte
/// of a tensor is missing; no byte can be written twice. The fastest order is that of `entries`: from front to back.
public final class SafetensorsWriter: Sendable {
    /// The tensors, in the order of the file.
    public let entries: [SafetensorsHeader.Entry]
    /// Bytes of the whole file.
    public let bytes: Int

    private let positions: [ByteName: Int]
    private let dataStart: Int
    private let file: OutputFile
    /// nil for a file of an output that is a directory, which appears with it.
    private let staged: StagedOutput?
    private let coverage = Mutex(Coverage())

    /// Begins the file `path`.
    ///
    /// With `replacing`, a file that has the path gives way. `metadata` nil leaves `__metadata__` out.
    ///
    /// Throws `header` like `SafetensorsHeaderBuilder.header(for:metadata:)`, `cannotCreate` if the path is taken or its directory
    /// missing, and `io` if the device fails.
    public convenience init(
        at path: String, for tensors: [(name: String, info: TensorInfo)], metadata: [String: String]? = nil,
        replacing: Bool = false
    ) throws(SiltError) {
        let (text, entries) = try SafetensorsHeaderBuilder.layout(for: tensors, metadata: metadata)
        let staged = try StagedOutput(at: path, form: .file, replacing: replacing ? .file : .never)
        try self.init(text: text, entries, file: staged.file, staged)
    }

    /// Begins a file of a larger output; `finish` ends it.
    package convenience init(
        _ file: OutputFile, for tensors: [(name: String, info: TensorInfo)], metadata: [String: String]?
    ) throws(SiltError) {
        let (text, entries) = try SafetensorsHeaderBuilder.layout(for: tensors, metadata: metadata)
        try self.init(text: text, entries, file: file, nil)
    }

    /// Begins a file of a larger output with a header as it stands in another file; `finish` ends it.
    package convenience init(_ file: OutputFile, header: SafetensorsHeader) throws(SiltError) {
        try self.init(text: header.text, header.entries, file: file, nil)
    }

    private init(
        text: [UInt8], _ entries: [SafetensorsHeader.Entry], file: OutputFile, _ staged: StagedOutput?
    ) throws(SiltError) {
        let start = SafetensorsHeader.fileStart(text)
        self.entries = entries
        positions = Dictionary(
            entries.enumerated().map { (ByteName($1.name), $0) }, uniquingKeysWith: { first, _ in first })
        dataStart = start.count
        bytes = start.count + entries.reduce(0) { max($0, $1.range.upperBound) }
        (self.file, self.staged) = (file, staged)
        try file.setSize(bytes)
        try file.write(start, at: 0)
    }

    /// Writes bytes of the tensor `name`, from its byte `offset` on.
    ///
    /// Throws `usage` if there is no such tensor, or it does not have so many bytes, or some of them were written before; `io`.
    public func write(_ bytes: [UInt8], to name: String, at offset: Int = 0) throws(SiltError) {
        let start = try claim(bytes.count, of: name, at: offset)
        try file.write(bytes, at: start)
    }

    /// Writes bytes of the tensor `name`, as above.
    public func write(_ bytes: RawSpan, to name: String, at offset: Int = 0) throws(SiltError) {
        let start = try claim(bytes.byteCount, of: name, at: offset)
        try unsafe bytes.withUnsafeBytes { (buffer) throws(SiltError) in try unsafe file.write(buffer, at: start) }
    }

    /// Writes bytes of the tensor `name`, as above.
    package func write(_ bytes: UnsafeRawBufferPointer, to name: String, at offset: Int = 0) throws(SiltError) {
        let start = try claim(bytes.count, of: name, at: offset)
        try unsafe file.write(bytes, at: start)
    }

    /// Where `count` bytes of a tensor go, for a caller who writes them by other means: they count as written.
    ///
    /// Throws as `write`.
    package func place(
        for count: Int, of name: String, at offset: Int
    ) throws(SiltError) -> (file: OutputFile, offset: Int) {
        (file, try claim(count, of: name, at: offset))
    }

    /// The file is whole: it appears under its name.
    ///
    /// Nobody may write any more. Throws `usage` if bytes are missing, and what creating and writing files throws. After an error
    /// the file does not appear.
    public func commit() throws(SiltError) {
        guard let staged else { throw SiltError(.fault, "the file appears with its directory", file: file.path) }
        try checkAll()
        try staged.commit()
    }

    /// The file is whole: it is closed, and appears with the directory that it is in.
    ///
    /// Throws `usage` if bytes are missing.
    package func finish() throws(SiltError) {
        try checkAll()
        file.close()
    }

    /// Where bytes of a tensor stand in the file; they are taken for written.
    private func claim(_ count: Int, of name: String, at offset: Int) throws(SiltError) -> Int {
        guard let entry = positions[ByteName(name)].map({ entries[$0] }) else {
            throw SiltError(.usage, "the header has no such tensor", file: file.path, tensor: name)
        }
        guard offset >= 0, count <= entry.range.count, offset <= entry.range.count - count else {
            let (end, overflow) = offset.addingReportingOverflow(count)
            throw SiltError(
                .usage,
                "\(entry.info.description) takes \(entry.info.bytes) bytes, but \(overflow ? count : end) are given",
                tensor: name)
        }
        let start = entry.range.lowerBound + offset
        guard coverage.withLock({ $0.insert(start..<start + count) }) else {
            throw SiltError(.usage, "bytes of the tensor are written twice", file: file.path, tensor: name)
        }
        return dataStart + start
    }

    private func checkAll() throws(SiltError) {
        let state = coverage.withLock { $0 }
        let gap = entries.lazy.compactMap { entry in state.gap(in: entry.range).map { (entry, $0) } }.first
        guard let (entry, range) = gap else { return }
        let first = range.lowerBound - entry.range.lowerBound
        throw SiltError(
            .usage, "bytes \(first)..<\(first + range.count) of \(entry.info.bytes) were not written",
            tensor: entry.name)
    }
}

extension SafetensorsWriter {
    /// Writes a small set of tensors that are in memory to a file at `path`, which appears whole or not at all.
    ///
    /// With `replacing`, a file that has the path gives way. Throws `usage` if the bytes of a tensor are not as many as its
    /// shape says, and what `init` throws.
    public static func write(
        _ tensors: [(name: String, info: TensorInfo, bytes: [UInt8])], metadata: [String: String]? = nil,
        to path: String, replacing: Bool = false
    ) throws(SiltError) {
        for (name, info, bytes) in tensors where bytes.count != info.bytes {
            throw SiltError(
                .usage, "\(info.description) takes \(info.bytes) bytes, but \(bytes.count) are given", tensor: name)
        }
        let writer = try SafetensorsWriter(
            at: path, for: tensors.map { ($0.name, $0.info) }, metadata: metadata, replacing: replacing)
        for (name, _, bytes) in tensors { try writer.write(bytes, to: name) }
        try writer.commit()
    }
}

extension SafetensorsHeader {
    /// How a file with the header `text` begins: its length in 8 bytes, and the header.
    package static func fileStart(_ text: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(8 + text.count)
        bytes.appendLittleEndian(UInt64(text.count))
        return bytes + text
    }
}
