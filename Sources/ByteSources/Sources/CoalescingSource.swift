internal import Synchronization
package import TensorTypes

/// A far source that fetches announced ranges in few reads, and keeps them until they are read.
///
/// What was not announced is read as it is asked for.
package final class CoalescingSource: ByteSource {
    /// Bytes that are kept at most; the oldest go first.
    private static let limit = 4 * ReadRuns.limit

    private struct Run {
        let start: Int
        let bytes: [UInt8]
        var range: Range<Int> { start..<start + bytes.count }
    }

    private let source: any ByteSource
    private let runs = Mutex<[Run]>([])

    package init(_ source: any ByteSource) { self.source = source }

    package var path: String { source.path }
    package var size: Int { source.size }
    package var version: SourceVersion { source.version }
    package var isFar: Bool { true }

    package func currentVersion() throws(SiltError) -> SourceVersion { try source.currentVersion() }

    package func prepare(_ ranges: [Range<Int>]) throws(SiltError) {
        let known = runs.withLock { $0.map(\.range) }
        let wanted = ranges.filter { range in
            range.upperBound <= size
                && !known.contains { $0.lowerBound <= range.lowerBound && range.upperBound <= $0.upperBound }
        }
        for run in ReadRuns.covering(wanted) where run.count <= CoalescingSource.limit {
            let bytes = try source.bytes(run)
            runs.withLock { runs in
                runs.append(Run(start: run.lowerBound, bytes: bytes))
                while runs.reduce(0, { $0 + $1.bytes.count }) > CoalescingSource.limit { runs.removeFirst() }
            }
        }
    }

    package func read(upTo buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(SiltError) -> Int {
        let kept = runs.withLock { runs in runs.last { $0.range.contains(offset) } }
        guard let kept else { return try unsafe source.read(upTo: buffer, at: offset) }
        let count = min(buffer.count, kept.range.upperBound - offset)
        unsafe kept.bytes.withUnsafeBytes { all in
            let start = offset - kept.start
            unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: all[start..<start + count]))
        }
        return count
    }
}
