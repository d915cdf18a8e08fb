internal import CSiltKernels
internal import TensorTypes

/// Positions that one mask stores as one stream: those of a cell, or of all columns.
struct PositionStream {
    let words: [UInt64]
    /// Rows count where symbols begin anew with each.
    let rows: Int
    let columns: Int

    var count: Int { rows * columns }
    var population: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }
}

/// Codes the positions of one mask (Formats/Silt.md, section 12.3).
struct MaskEncoder {
    let positions: MaskCoding.Positions
    let tables: [UInt8]?
    let streams: [[UInt8]]

    /// Gaps from which an adaptive stream is not tried: rANS is nearly as small then, and far faster.
    private static let adaptiveGaps = 262_144

    private var bytes: Int { streams.reduce(tables?.count ?? 0) { $0 + $1.count } }

    /// Codes all streams as takes fewest bytes among what the request allows.
    ///
    /// No stream is empty: an empty chunk of a mask over columns is refused.
    init(_ streams: [PositionStream], _ request: MatrixRequest, _ workspace: MatrixWorkspace) {
        let population = streams.reduce(0) { $0 + $1.population }
        let count = streams.reduce(0) { $0 + $1.count }
        var best: MaskEncoder?
        func offer(_ codec: StreamCodec, _ candidate: () -> MaskEncoder) {
            guard request.positionCodec == nil || request.positionCodec == codec else { return }
            let candidate = candidate()
            guard candidate.streams.allSatisfy({ !$0.isEmpty }) else { return }
            if let current = best, current.bytes <= candidate.bytes { return }
            best = candidate
        }
        if request.maskCodec != .gaps {
            offer(.none) { MaskEncoder.bits(streams) }
            offer(.rans) { MaskEncoder.symbols(streams, width: request.bitWidth, workspace) }
        }
        // Where most positions stay, gaps are many and short.
        let isSparse = 2 * population <= count || request.positionCodec == .adaptive
        if request.maskCodec == .gaps || (request.maskCodec == .auto && isSparse) {
            let gaps = streams.map { MaskEncoder.gaps($0) }
            offer(.none) { MaskEncoder.plain(gaps) }
            offer(.rans) { MaskEncoder.gapBytes(gaps, workspace) }
            if population <= MaskEncoder.adaptiveGaps || request.positionCodec == .adaptive {
                offer(.adaptive) { MaskEncoder.adaptive(gaps, workspace) }
            }
        }
        self = best ?? MaskEncoder.bits(streams)
    }

    private init(_ positions: MaskCoding.Positions, tables: [UInt8]? = nil, _ streams: [[UInt8]]) {
        self.positions = positions
        self.tables = tables
        self.streams = streams
    }

    private static func bits(_ streams: [PositionStream]) -> MaskEncoder {
        MaskEncoder(
            .bits(.none, width: 8),
            streams.map { stream in
                (0..<(stream.count + 7) / 8).map { byte in
                    UInt8(truncatingIfNeeded: stream.words[byte / 8] >> UInt64(byte % 8 * 8))
                }
            })
    }

    private static func symbols(_ streams: [PositionStream], width: Int, _ workspace: MatrixWorkspace) -> MaskEncoder {
        let symbols = streams.map { stream in
            let number = stream.rows * ((stream.columns + width - 1) / width)
            return unsafe [UInt8](unsafeUninitializedCapacity: number) { buffer, count in
                guard let start = buffer.baseAddress else { return }
                unsafe silt_mask_symbols(stream.words, stream.rows, stream.columns, UInt32(width), start)
                count = number
            }
        }
        let coded = PlaneStreams(symbols, elementBytes: 1, workspace)
        return MaskEncoder(.bits(.rans, width: width), tables: coded.tables, coded.streams)
    }

    private static func gaps(_ stream: PositionStream) -> [Int32] {
        unsafe [Int32](unsafeUninitializedCapacity: stream.population) { buffer, count in
            guard let start = buffer.baseAddress else { return }
            count = unsafe silt_mask_gaps(stream.words, stream.count, start)
        }
    }

    private static func plain(_ gaps: [[Int32]]) -> MaskEncoder {
        MaskEncoder(
            .gaps(.none),
            gaps.map { gaps in
                var bytes: [UInt8] = []
                LEB128.append(gaps.count, to: &bytes)
                for gap in gaps { LEB128.append(Int(gap), to: &bytes) }
                return bytes
            })
    }

    private static func adaptive(_ gaps: [[Int32]], _ workspace: MatrixWorkspace) -> MaskEncoder {
        MaskEncoder(
            .gaps(.adaptive),
            gaps.map { gaps in
                var bytes: [UInt8] = []
                LEB128.append(gaps.count, to: &bytes)
                return bytes + AdaptiveStream.encode(gaps, isSigned: false, room: workspace.words)
            })
    }

    private static func gapBytes(_ gaps: [[Int32]], _ workspace: MatrixWorkspace) -> MaskEncoder {
        let planes = gaps.map { gaps in
            let most = gaps.reduce(gaps.count) { $0 + Int($1) / 255 }
            return unsafe [UInt8](unsafeUninitializedCapacity: most) { buffer, count in
                guard let start = buffer.baseAddress else { return }
                count = unsafe silt_gap_bytes(gaps, gaps.count, start)
            }
        }
        let coded = PlaneStreams(planes, elementBytes: 1, workspace)
        let streams = zip(planes, coded.streams).map { plane, stream in
            var bytes: [UInt8] = []
            LEB128.append(plane.count, to: &bytes)
            return bytes + stream
        }
        return MaskEncoder(.gaps(.rans), tables: coded.tables, streams)
    }
}
