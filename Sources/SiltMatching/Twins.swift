internal import ByteSources
internal import Safetensors
internal import SiltFormat
package import TensorTypes
package import Workers

/// Tensors of a checkpoint that are equal, byte for byte, to an earlier one: tied tensors that were saved twice, copies of a model in its
/// own directory.
package struct Twins: Sendable {
    /// Smaller tensors are not worth a source.
    private static let leastBytes = 4_096
    private static let samples = 8
    private static let sampleBytes = 512
    private static let pieceBytes = 1 << 20

    private let context: WorkContext

    package init(_ context: WorkContext) { self.context = context }

    private struct Key: Hashable {
        let info: TensorInfo
        let sample: Digest128
    }

    /// For each target the first one before it that has the same bytes; nil if there is none, or if it seems to equal what predicts it
    /// anyway.
    ///
    /// Samples say which tensors are compared; those are read whole.
    package func earlier(
        _ targets: [Matcher.Target], _ matches: [Matcher.Match?], _ candidates: [Matcher.Candidate]
    ) throws(SiltError) -> [Int?] {
        let shapes = Dictionary(grouping: targets.indices, by: { targets[$0].tensor.info })
        let asked = targets.indices.filter {
            targets[$0].tensor.info.bytes >= Twins.leastBytes && (shapes[targets[$0].tensor.info]?.count ?? 0) > 1
        }
        let keys = try context.pool.map(
            count: asked.count, makeWorker: { SketchReader() },
            work: { (reader, place) throws(SiltError) in
                let tensor = targets[asked[place]].tensor
                return Key(info: tensor.info, sample: try Twins.sample(tensor, reader))
            })
        var groups: [Key: [Int]] = [:]
        for (index, key) in zip(asked, keys) { groups[key, default: []].append(index) }
        var result = [Int?](repeating: nil, count: targets.count)
        let reader = SketchReader()
        for (key, members) in groups where members.count > 1 {
            for index in members {
                guard let match = matches[index], match.sources.count == 1, match.runs.first?.first == 0 else {
                    continue
                }
                let base = candidates[match.sources[0]].tensor
                if base.info == key.info, try Twins.sample(base, reader) == key.sample { result[index] = index }
            }
        }
        let still = result
        let pairs = groups.values.filter { $0.count > 1 }.sorted { $0[0] < $1[0] }
        let found = try context.pool.map(
            count: pairs.count, makeWorker: { (ByteBuffer(), ByteBuffer()) },
            work: { (buffers, place) throws(SiltError) in
                var firsts: [Int] = []
                var twins: [(index: Int, of: Int)] = []
                for index in pairs[place] where still[index] == nil {
                    var twin: Int?
                    for first in firsts where twin == nil {
                        if try areEqual(targets[first].tensor, targets[index].tensor, buffers) { twin = first }
                    }
                    if let twin { twins.append((index, twin)) } else { firsts.append(index) }
                }
                return twins
            })
        for index in targets.indices where still[index] != nil { result[index] = nil }
        for twin in found.joined() { result[twin.index] = twin.of }
        return result
    }

    private static func sample(_ tensor: Checkpoint.Tensor, _ reader: SketchReader) throws(SiltError) -> Digest128 {
        let width = tensor.info.dtype.elementBytes
        let count = sampleBytes / width
        let places = tensor.info.elements / count
        var digests: [Digest128] = []
        for sample in 0..<min(samples, places) {
            let start = (2 * sample + 1) * places / (2 * min(samples, places)) * count
            let bytes = try unsafe reader.read(tensor, start..<start + count)
            unsafe digests.append(Digest128(of: UnsafeRawBufferPointer(start: bytes, count: count * width)))
        }
        return Digest128(pieces: digests)
    }

    private func areEqual(
        _ first: Checkpoint.Tensor, _ second: Checkpoint.Tensor, _ buffers: (ByteBuffer, ByteBuffer)
    ) throws(SiltError) -> Bool {
        for start in stride(from: 0, to: first.info.bytes, by: Twins.pieceBytes) {
            try context.cancellation.check()
            let piece = start..<min(first.info.bytes, start + Twins.pieceBytes)
            buffers.0.reserve(piece.count)
            buffers.1.reserve(piece.count)
            let (own, other) = unsafe (buffers.0.prefix(piece.count), buffers.1.prefix(piece.count))
            func range(_ tensor: Checkpoint.Tensor) -> Range<Int> {
                tensor.range.lowerBound + piece.lowerBound..<tensor.range.lowerBound + piece.upperBound
            }
            try unsafe first.file.read(range(first), into: own)
            try unsafe second.file.read(range(second), into: other)
            guard unsafe Digest128(of: UnsafeRawBufferPointer(own)) == Digest128(of: UnsafeRawBufferPointer(other))
            else {
                return false
            }
        }
        return true
    }
}
