internal import SiltFormat
internal import TensorTypes

/// Where the chunks of a batch come from: they are coded, or an earlier encoding has them.
struct SegmentSource: Sendable {
    let plan: PackPlan
    let predicted: Predicted
    let earlier: EarlierChunks?

    /// The earlier encoding, if it has the segment as it is to be.
    private func earlier(_ tensor: PackTensor, _ segment: Segment) -> EarlierChunks? {
        switch predicted[tensor, segment] {
        case nil, .sameAsEarlier: earlier
        case .prediction, .nothing: nil
        }
    }

    /// How a segment is coded.
    func coding(_ tensor: PackTensor, _ segment: Segment) -> Coding {
        if case .prediction(let prediction) = predicted[tensor, segment] { return .exact(prediction.tables) }
        if let earlier = earlier(tensor, segment) { return earlier.encodedSegment(tensor, segment).coding }
        return plan.measured.tensors[tensor.index].segments[segment.index - tensor.segments[0].index].coding
    }

    /// What stands for a segment's base, before it is written; nil for nothing.
    func prediction(_ tensor: PackTensor, _ segment: Segment) throws(SiltError) -> EncodeLedger.Prediction? {
        if case .prediction(let prediction) = predicted[tensor, segment] {
            return (prediction.components, prediction.chunks)
        }
        return try earlier(tensor, segment)?.prediction(tensor, segment)
    }

    /// The chunk of a cell.
    func chunk(
        _ tensor: PackTensor, _ segment: Segment, _ cell: Int, _ cells: CellEncoder, _ worker: EncodeWorker
    ) throws(SiltError) -> [UInt8] {
        if let earlier = earlier(tensor, segment) { return try earlier.chunk(tensor, segment, cell) }
        var rebuilt: RebuiltTensor?
        if case .prediction(let prediction) = predicted[tensor, segment] {
            rebuilt = predicted.rebuilt(tensor, prediction)
        }
        return try cells.encode(tensor, segment, cell, coding(tensor, segment), over: rebuilt, worker)
    }

    /// The chunk of a piece of a file.
    func chunk(
        _ file: OtherFile, _ piece: Int, _ cells: CellEncoder, _ worker: EncodeWorker
    ) throws(SiltError) -> [UInt8] {
        if let earlier, case .stored(_, let chunks) = earlier.encoded.others[file.index] {
            return try earlier.chunk(chunks.lowerBound + piece)
        }
        return try cells.encode(file, piece, worker)
    }
}
