package import ByteSources
public import TensorTypes

/// An open safetensors file whose header is checked.
public final class SafetensorsFile: Sendable {
    /// The path it was opened at.
    public let path: String
    /// The header.
    public let header: SafetensorsHeader
    /// The file.
    ///
    /// Its size is what the header was checked against.
    package let input: any ByteSource

    /// Opens the file at `path` and reads its header; the data stay on the device.
    ///
    /// Throws `inputMissing` if there is no such file, `truncated` if it is shorter than its lengths say, `header` if it
    /// breaks a rule of safetensors, and `io` or `changed` if reading fails.
    public convenience init(_ path: String) throws(SiltError) {
        try self.init(LocalFile(path))
    }

    /// Reads the header of an open file.
    ///
    /// Of a file that is another kind of file, the error says which.
    package init(_ input: any ByteSource) throws(SiltError) {
        do throws(SiltError) {
            header = try SafetensorsFile.header(of: input)
        } catch  where error.code == .header || error.code == .truncated {
            guard !SafetensorsFile.beginsLikeOne(input) else { throw error }
            throw ForeignContent.explain(error, input, expected: "a safetensors file")
        }
        path = input.path
        self.input = input
    }

    private static func header(of input: any ByteSource) throws(SiltError) -> SafetensorsHeader {
        guard input.size >= 8 else {
            throw SiltError(
                .truncated, "the file has \(input.size) bytes; a safetensors file has at least 8", file: input.path)
        }
        var cursor = ByteCursor(try input.bytes(0..<8))
        let length = cursor.integer(UInt64.self) ?? 0
        guard length <= UInt64(SafetensorsHeader.limit) else {
            throw SiltError(
                .header, "the header has \(length) bytes; at most \(SafetensorsHeader.limit) are allowed",
                file: input.path, range: 0..<8, advice: "is this a safetensors file?")
        }
        let end = 8 + Int(length)
        guard end <= input.size else {
            throw SiltError(
                .truncated, "the file has \(input.size) bytes; its header alone ends at \(end)", file: input.path,
                range: 0..<8, advice: "the file is incomplete: copy or download it again")
        }
        return try SafetensorsHeader(text: input.bytes(8..<end), fileBytes: input.size, file: input.path)
    }

    /// Whether a length that may be one stands before a header's first byte.
    private static func beginsLikeOne(_ input: any ByteSource) -> Bool {
        guard let start = try? input.bytes(0..<min(input.size, 9)), start.count == 9 else { return false }
        var cursor = ByteCursor(start)
        return cursor.integer(UInt64.self).map { $0 <= UInt64(SafetensorsHeader.limit) } == true
            && start[8] == UInt8(ascii: "{")
    }

    /// The data of the tensor `name`: little-endian, in C order.
    ///
    /// Throws `noMatch` if there is no such tensor, and `io` or `changed` if reading fails.
    public func bytes(of name: String) throws(SiltError) -> [UInt8] {
        guard let entry = header[name] else {
            throw SiltError(.noMatch, "the file has no tensor of this name", file: path, tensor: name)
        }
        let (start, end) = (entry.range.lowerBound, entry.range.upperBound)
        do throws(SiltError) {
            return try input.bytes(header.dataStart + start..<header.dataStart + end)
        } catch {
            throw error.at(tensor: name)
        }
    }

    /// Fills `buffer`, which is as long as `range`, with the bytes `range` of the data.
    ///
    /// Throws `io` or `changed`.
    package func read(_ range: Range<Int>, into buffer: UnsafeMutableRawBufferPointer) throws(SiltError) {
        precondition(buffer.count == range.count, "the buffer's size is not the range's")
        try unsafe input.read(into: buffer, at: header.dataStart + range.lowerBound)
    }
}
