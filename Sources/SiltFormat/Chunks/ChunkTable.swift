internal import TensorTypes

/// Sizes and checksums of the chunks (Formats/Silt.md, section 5); offsets follow from the sizes.
package struct ChunkTable: Sendable {
    private var offsets: [Int] = [0]
    private var checksums: [UInt64] = []

    package init() {}

    /// How many chunks there are.
    package var count: Int { checksums.count }
    /// Bytes of all chunks.
    package var payloadBytes: Int { offsets[count] }

    /// Where chunk `index` lies in the payload.
    package func range(_ index: Int) -> Range<Int> { offsets[index]..<offsets[index + 1] }
    /// Stored bytes of chunk `index`.
    package func size(_ index: Int) -> Int { offsets[index + 1] - offsets[index] }
    /// XXH3-64 of its stored bytes.
    package func checksum(_ index: Int) -> UInt64 { checksums[index] }
    /// Stored bytes of some chunks that follow one another.
    package func size(of chunks: Range<Int>) -> Int { offsets[chunks.upperBound] - offsets[chunks.lowerBound] }

    /// Appends a chunk; returns its index.
    package mutating func append(size: Int, checksum: UInt64) -> Int {
        offsets.append(payloadBytes + size)
        checksums.append(checksum)
        return count - 1
    }

    /// The stored form: 12 bytes for each chunk.
    package var stored: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(12 * count)
        for index in 0..<count {
            bytes.appendLittleEndian(UInt32(size(index)))
            bytes.appendLittleEndian(checksums[index])
        }
        return bytes
    }

    /// Reads the stored form; nil if it is not a whole number of records.
    package init?(stored bytes: [UInt8]) {
        guard bytes.count % 12 == 0 else { return nil }
        offsets.reserveCapacity(bytes.count / 12 + 1)
        checksums.reserveCapacity(bytes.count / 12)
        unsafe bytes.withUnsafeBytes { buffer in
            for start in stride(from: 0, to: buffer.count, by: 12) {
                let size = unsafe UInt32(littleEndian: buffer.loadUnaligned(fromByteOffset: start, as: UInt32.self))
                let checksum = unsafe buffer.loadUnaligned(fromByteOffset: start + 4, as: UInt64.self)
                // At most 2^32 for each 12 bytes of a file: no overflow.
                _ = append(size: Int(size), checksum: UInt64(littleEndian: checksum))
            }
        }
    }
}
