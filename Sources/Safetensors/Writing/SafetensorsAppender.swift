package import ByteSources
package import TensorTypes

/// Writes a safetensors file whose header is known last: room is kept for it, and the data are appended.
///
/// For one thread at a time.
package final class SafetensorsAppender {
    /// Bytes of data so far.
    package private(set) var dataBytes = 0
    private let file: OutputFile
    private let room: Int

    /// Begins `file` with room for a header of at most `room` bytes; `dataBytes` of data are in it already.
    package init(_ file: OutputFile, room: Int, dataBytes: Int = 0) {
        (self.file, self.room, self.dataBytes) = (file, room, dataBytes)
    }

    /// Appends bytes of data.
    ///
    /// Throws `io`.
    package func append(_ bytes: [UInt8]) throws(SiltError) {
        try file.write(bytes, at: 8 + room + dataBytes)
        dataBytes += bytes.count
    }

    /// Appends bytes of data.
    ///
    /// Throws `io`.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(SiltError) {
        try unsafe file.write(bytes, at: 8 + room + dataBytes)
        dataBytes += bytes.count
    }

    /// Writes the header; readers allow the spaces that fill its room.
    ///
    /// Throws `fault` if it is larger than that, and `io`.
    package func finish(_ text: [UInt8]) throws(SiltError) {
        guard text.count <= room else {
            throw SiltError(.fault, "the header is larger than its room", file: file.path)
        }
        let fill = [UInt8](repeating: UInt8(ascii: " "), count: room - text.count)
        try file.write(SafetensorsHeader.fileStart(text + fill), at: 0)
    }
}
