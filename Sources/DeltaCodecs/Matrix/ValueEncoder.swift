internal import CSiltKernels
internal import TensorTypes

/// Codes the values of all cells that are not 0 throughout (Formats/Silt.md, section 12.4).
struct ValueEncoder {
    let codec: StreamCodec
    let tables: [UInt8]?
    let streams: [[UInt8]]

    /// Values from which an adaptive stream is not tried: rANS is nearly as small then, and far faster.
    private static let adaptiveValues = 262_144
    /// Fast, and tried only where repeats make it win.
    private static let zstdLevel = 3

    private var bytes: Int { streams.reduce(tables?.count ?? 0) { $0 + $1.count } }

    private init(_ codec: StreamCodec, tables: [UInt8]? = nil, _ streams: [[UInt8]]) {
        self.codec = codec
        self.tables = tables
        self.streams = streams
    }

    private init(_ planes: PlaneStreams) { self.init(.rans, tables: planes.tables, planes.streams) }

    /// Codes folded codes of one byte each, as takes fewest bytes; with `codec` the one that it names.
    init(folded cells: [[UInt8]], type: ValueType, codec: StreamCodec?, _ workspace: MatrixWorkspace) {
        var best: ValueEncoder?
        func offer(_ offered: StreamCodec, _ candidate: () -> ValueEncoder) {
            guard codec == nil || codec == offered else { return }
            let candidate = candidate()
            // Signs that are all the same take no bytes under rANS, but an empty chunk would mean zeros.
            guard candidate.streams.allSatisfy({ !$0.isEmpty }) else { return }
            if let current = best, current.bytes <= candidate.bytes { return }
            best = candidate
        }
        func packed() -> ValueEncoder {
            ValueEncoder(.none, cells.map { ValueEncoder.packed($0, bits: type.packedBits) })
        }
        offer(.none, packed)
        offer(.rans) { ValueEncoder(PlaneStreams(cells, elementBytes: 1, workspace)) }
        let isShort = cells.reduce(0) { $0 + $1.count } <= ValueEncoder.adaptiveValues
        if type.codecs.contains(.adaptive), isShort || codec == .adaptive {
            offer(.adaptive) { ValueEncoder(.adaptive, cells.map { ValueEncoder.adaptive($0, workspace) }) }
        }
        self = best ?? packed()
    }

    /// Codes integers of any size.
    init(integers cells: [[Int32]], _ workspace: MatrixWorkspace) {
        self.init(.adaptive, cells.map { AdaptiveStream.encode($0, isSigned: true, room: workspace.words) })
    }

    /// Codes rotated patterns, as takes fewest bytes; with `codec` the one that it names.
    init(patterns cells: [[UInt8]], type: ValueType, codec: StreamCodec?, _ workspace: MatrixWorkspace) {
        let width = type.elementBytes
        let planes = cells.map { cell in
            unsafe [UInt8](unsafeUninitializedCapacity: cell.count) { buffer, count in
                guard let start = buffer.baseAddress else { return }
                unsafe silt_planes_split(UInt32(width), cell, nil, cell.count / width, start)
                count = cell.count
            }
        }
        func frames() -> ValueEncoder {
            ValueEncoder(.zstd, planes.map { workspace.zstd.compress($0, level: ValueEncoder.zstdLevel) })
        }
        let plain = ValueEncoder(.none, cells)
        guard codec != .some(.none), codec != .zstd else {
            self = codec == .zstd ? frames() : plain
            return
        }
        let coded = ValueEncoder(PlaneStreams(planes, elementBytes: width, workspace))
        var best = codec == nil && plain.bytes <= coded.bytes ? plain : coded
        // The first cell tells whether the others are worth a try.
        if codec == nil, let first = planes.first, let stream = best.streams.first,
            workspace.zstd.compress(first, level: ValueEncoder.zstdLevel).count < stream.count
        {
            let frames = frames()
            if frames.bytes < best.bytes { best = frames }
        }
        self = best
    }

    private static func adaptive(_ folded: [UInt8], _ workspace: MatrixWorkspace) -> [UInt8] {
        let codes = unsafe workspace.integers.room(Int32.self, folded.count)
        unsafe silt_unfold(folded, folded.count, codes)
        return unsafe AdaptiveStream.encode(codes, count: folded.count, isSigned: true, room: workspace.words)
    }

    private static func packed(_ folded: [UInt8], bits: Int) -> [UInt8] {
        let size = (folded.count * bits + 7) / 8
        return unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            guard let start = buffer.baseAddress else { return }
            unsafe silt_pack(UInt32(bits), folded, folded.count, start)
            count = size
        }
    }
}
