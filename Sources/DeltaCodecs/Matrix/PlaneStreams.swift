internal import CSiltKernels
internal import TensorTypes

/// Planes that share their tables (Formats/Silt.md, sections 8.2 and 8.3).
struct PlaneStreams {
    let tables: [UInt8]
    /// A stream without elements is empty.
    let streams: [[UInt8]]

    var bytes: Int { streams.reduce(tables.count) { $0 + $1.count } }

    /// Codes streams of planes of `elementBytes` bytes, with the tables that suit all of them.
    init(_ planes: [[UInt8]], elementBytes: Int, _ workspace: MatrixWorkspace) {
        var counts = [[UInt64]](repeating: [UInt64](repeating: 0, count: 256), count: elementBytes)
        var histogram = [UInt32](repeating: 0, count: 256)
        for stream in planes {
            let count = stream.count / elementBytes
            for plane in 0..<elementBytes {
                for value in 0..<256 { histogram[value] = 0 }
                unsafe stream.withUnsafeBufferPointer { buffer in
                    guard let start = buffer.baseAddress else { return }
                    unsafe silt_planes_count(1, start + plane * count, nil, count, &histogram)
                }
                for value in 0..<256 { counts[plane][value] += UInt64(histogram[value]) }
            }
        }
        let chosen = PlaneTables(counts: counts, lengths: planes.map { $0.count / elementBytes })
        tables = chosen.stored
        let codec = PlaneEncoder(chosen)
        streams = planes.map { stream in
            guard !stream.isEmpty else { return [] }
            return unsafe stream.withUnsafeBytes { buffer in
                guard let start = buffer.baseAddress else { return [] }
                return unsafe codec.encode(
                    start, count: stream.count / elementBytes, words: workspace.words, level: workspace.level)
            }
        }
    }
}
