package import TensorTypes

/// A source in memory.
package struct MemorySource: ByteSource {
    package let path: String
    private let bytes: [UInt8]

    package init(_ bytes: [UInt8], path: String) { (self.bytes, self.path) = (bytes, path) }

    package var size: Int { bytes.count }
    package var version: SourceVersion { SourceVersion() }

    package func read(upTo buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(SiltError) -> Int {
        guard offset >= 0, offset < bytes.count else { return 0 }
        let count = min(buffer.count, bytes.count - offset)
        unsafe bytes.withUnsafeBytes { all in
            unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: all[offset..<offset + count]))
        }
        return count
    }
}
