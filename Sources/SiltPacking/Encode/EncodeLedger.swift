internal import SiltFormat
internal import TensorTypes

/// Puts chunks into a file in the order of the jobs, and writes down where they are; it ends with the pass.
///
/// One thread at a time uses it: `WorkerPool` lets one through.
final class EncodeLedger: @unchecked Sendable {
    /// What comes before the first chunk of a segment, when there is one.
    typealias Prediction = (components: [ComponentRecord], chunks: ComponentChunks)

    private struct Entry {
        var segment: Encoded.Segment?
        /// Empty chunks that are not written yet: if no other comes, the segment is a copy.
        var waiting = 0
    }

    private let writer: ContainerWriter
    private let isSample: Bool
    private var entries: [Entry]
    private var lossy: [Int: LossyTensor] = [:]
    private var others: [Int: Int] = [:]
    private var traces: [Int: Predicted.Trace] = [:]
    /// Where tables are, once they are written.
    private var tables: [ObjectIdentifier: Int] = [:]

    init(_ plan: PackPlan, _ writer: ContainerWriter) {
        self.writer = writer
        isSample = plan.measured.isSample
        entries = Array(repeating: Entry(), count: plan.input.segments)
    }

    /// Writes the chunk of the segment's next cell; before the first one what its chunks need.
    ///
    /// Where cells were sampled, empty chunks wait for one that is not.
    func append(
        _ chunk: [UInt8], _ segment: Segment, _ coding: Coding, _ prediction: () throws(SiltError) -> Prediction?
    ) throws(SiltError) {
        if entries[segment.index].segment == nil {
            if isSample, coding.usesBase, chunk.isEmpty {
                entries[segment.index].waiting += 1
                return
            }
            var encoded = Encoded.Segment(coding: coding)
            if let prediction = try prediction() {
                let offset = try prediction.chunks.write(to: writer)
                encoded.components = prediction.components.map { $0.moved(by: offset) }
                encoded.componentChunks = offset..<writer.table.count
            }
            encoded.tables = try coding.tables.map { (tables) throws(SiltError) in try index(of: tables) }
            let first = writer.table.count
            encoded.chunks = first..<first + segment.cells.count
            entries[segment.index].segment = encoded
            for _ in 0..<entries[segment.index].waiting { _ = try writer.append([]) }
        }
        _ = try writer.append(chunk)
    }

    private func index(of chunk: TablesChunk) throws(SiltError) -> Int {
        if let index = tables[ObjectIdentifier(chunk)] { return index }
        let index = try writer.append(chunk.bytes)
        tables[ObjectIdentifier(chunk)] = index
        return index
    }

    /// Writes the chunks of a lossy tensor.
    func append(_ outcome: LossyTensor, _ tensor: PackTensor) throws(SiltError) {
        lossy[tensor.index] = try outcome.written(to: writer)
    }

    /// Writes the chunk of a file's next piece.
    func append(_ chunk: [UInt8], _ file: OtherFile) throws(SiltError) {
        let index = try writer.append(chunk)
        if others[file.index] == nil { others[file.index] = index }
    }

    func add(_ traces: [Int: Predicted.Trace]) { self.traces.merge(traces) { _, new in new } }

    /// What is in the file, once everything is.
    func encoded(
        _ plan: PackPlan, _ options: PackOptions, isLossy: Bool, _ fates: (PackTensor) -> TensorPolicy.Fate,
        _ digests: DigestBook
    ) throws(SiltError) -> Encoded {
        var tensors: [Encoded.Tensor] = []
        tensors.reserveCapacity(plan.input.tensors.count)
        for (tensor, measured) in zip(plan.input.tensors, plan.measured.tensors) {
            let isOwn = fates(tensor) != .exact
            guard isOwn == (lossy[tensor.index] != nil) else { throw tensor.fault("a tensor was not packed") }
            var segments: [Encoded.Segment] = []
            for (segment, found) in zip(tensor.segments, measured.segments).dropFirst(isOwn ? 1 : 0) {
                segments.append(try encoded(tensor, segment, found))
            }
            tensors.append(
                Encoded.Tensor(
                    digests: try digests.digests(tensor), lossy: lossy[tensor.index], segments: segments))
        }
        var bases: [Digest128] = []
        for base in plan.input.bases { bases.append(try digests.digest(base)) }
        return Encoded(
            tensors: tensors, others: try encodedOthers(plan, options, isLossy: isLossy), bases: bases,
            sha256: plan.input.files.indices.map { digests.sha256($0) }, traces: traces)
    }

    private func encoded(
        _ tensor: PackTensor, _ segment: Segment, _ measured: Measured.Segment
    ) throws(SiltError) -> Encoded.Segment {
        let entry = entries[segment.index]
        if let encoded = entry.segment { return encoded }
        guard measured.coding.isCopy || isSample && entry.waiting == segment.cells.count else {
            throw tensor.fault("not everything was packed")
        }
        return Encoded.Segment(coding: .copy)
    }

    private func encodedOthers(
        _ plan: PackPlan, _ options: PackOptions, isLossy: Bool
    ) throws(SiltError) -> [Encoded.Other] {
        var list: [Encoded.Other] = []
        let known = StoredFiles(plan, isLossy: isLossy)
        for file in plan.input.others {
            if known.isReference(file.index) {
                list.append(.base)
            } else if file.pieces == 0 {
                list.append(.stored(.zstd, 0..<0))
            } else {
                guard let first = others[file.index] else {
                    throw SiltError.fault("not everything was packed", file: file.path)
                }
                list.append(.stored(options.codec == .none ? .none : .zstd, first..<first + file.pieces))
            }
        }
        return list
    }
}
