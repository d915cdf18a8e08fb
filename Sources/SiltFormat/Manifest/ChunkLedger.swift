internal import TensorTypes

/// Who uses which chunk: every chunk belongs to one part or stored file, or holds tables for one part or more
/// (Formats/Silt.md, section 5).
struct ChunkLedger {
    private enum Use { case free, data, tables }

    private let chunks: ChunkTable
    private var uses: [Use]

    init(_ chunks: ChunkTable) {
        self.chunks = chunks
        uses = Array(repeating: .free, count: chunks.count)
    }

    /// Takes `count` chunks from `first` on for the data of a part or file.
    mutating func claim(_ first: Int, _ count: Int, at place: String) throws(SiltError) -> Range<Int> {
        guard count > 0 else { return 0..<0 }
        guard first < chunks.count, count <= chunks.count - first else {
            throw SiltError(
                .coverage, "\(place) needs chunks from \(first) on, \(count) of them; the file has \(chunks.count)")
        }
        for index in first..<first + count {
            guard uses[index] == .free else { throw SiltError(.coverage, "\(place): chunk \(index) is used twice") }
            uses[index] = .data
        }
        return first..<first + count
    }

    /// Takes a chunk of tables, which others may share.
    mutating func claimTables(_ index: Int, at place: String) throws(SiltError) {
        guard index < chunks.count else {
            throw SiltError(
                .coverage, "\(place): chunk \(index) of tables does not exist; the file has \(chunks.count)")
        }
        guard uses[index] != .data else { throw SiltError(.coverage, "\(place): chunk \(index) is used twice") }
        uses[index] = .tables
        guard chunks.size(index) <= 65_536 else {
            throw SiltError(
                .limit, "\(place): chunk \(index) of tables has \(chunks.size(index)) bytes, more than 65,536")
        }
    }

    /// Checks a chunk's stored size against what it decodes to.
    func check(_ index: Int, decoded: Int, mayBeEmpty: Bool, at place: String) throws(SiltError) {
        let size = chunks.size(index)
        guard size <= 2 * decoded + 65_536 else {
            throw SiltError(
                .limit, "\(place): chunk \(index) has \(size) bytes, more than twice the \(decoded) that it decodes to")
        }
        guard size > 0 || mayBeEmpty else { throw SiltError(.chunk, "\(place): chunk \(index) is empty") }
    }

    /// Throws if a chunk belongs to nobody.
    func finish() throws(SiltError) {
        if let unused = uses.firstIndex(of: .free) {
            throw SiltError(.coverage, "chunk \(unused) is used by no part and no file")
        }
    }
}
