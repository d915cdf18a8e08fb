internal import SiltFormat
internal import Synchronization
internal import TensorTypes

extension Segment {
    /// Writes the chunk of the segment's next cell; before the first one what its chunks need.
    ///
    /// The caller lets one thread through, in the order of the cells. Where cells were sampled, empty chunks wait for one that
    /// is not.
    func append(_ chunk: [UInt8], _ coding: Coding, to writer: ContainerWriter) throws(SiltError) {
        if firstChunk.withLock({ $0 == nil }) {
            if isSampled, coding.usesBase, chunk.isEmpty {
                emptyChunks.withLock { $0 += 1 }
                return
            }
            try prediction.withLock({ $0 })?.write(to: writer)
            if let tables = coding.tables, tables.index.withLock({ $0 == nil }) {
                let index = try writer.append(tables.bytes)
                tables.index.withLock { $0 = index }
            }
            let first = writer.table.count
            firstChunk.withLock { $0 = first }
            for _ in 0..<emptyChunks.withLock({ $0 }) { _ = try writer.append([]) }
        }
        _ = try writer.append(chunk)
    }

    /// How the segment is coded in the end: as a copy if no chunk but empty ones came.
    var finalCoding: Coding? {
        let isStill = isSampled && emptyChunks.withLock { $0 } == cells.count && firstChunk.withLock { $0 == nil }
        return isStill ? .copy : coding.withLock { $0 }
    }
}
