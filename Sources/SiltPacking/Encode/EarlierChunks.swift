internal import SiltFormat
internal import TensorTypes

/// An encoding of the same plan whose chunks are read back: what stays exact in another one is in it already.
struct EarlierChunks: Sendable {
    let encoded: Encoded
    private let chunks: WrittenChunks

    init(_ encoded: Encoded, _ chunks: WrittenChunks) { (self.encoded, self.chunks) = (encoded, chunks) }

    /// The chunk with this number in the earlier file.
    func chunk(_ index: Int) throws(SiltError) -> [UInt8] { try chunks.chunk(index) }

    /// The chunk of a cell of a segment.
    func chunk(_ tensor: PackTensor, _ segment: Segment, _ cell: Int) throws(SiltError) -> [UInt8] {
        try chunk(encodedSegment(tensor, segment).chunks.lowerBound + cell - segment.cells.lowerBound)
    }

    /// What a segment is made of there.
    func encodedSegment(_ tensor: PackTensor, _ segment: Segment) -> Encoded.Segment {
        encoded.tensors[tensor.index].segments[segment.index - tensor.segments[0].index]
    }

    /// What stands for a segment's base, as it was before it was written; nil for nothing.
    func prediction(
        _ tensor: PackTensor, _ segment: Segment
    ) throws(SiltError) -> (components: [ComponentRecord], chunks: ComponentChunks)? {
        let segment = encodedSegment(tensor, segment)
        guard !segment.components.isEmpty else { return nil }
        var chunks = ComponentChunks()
        for index in segment.componentChunks { chunks.append(try chunk(index)) }
        return (segment.components.map { $0.moved(by: -segment.componentChunks.lowerBound) }, chunks)
    }
}
