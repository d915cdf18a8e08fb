import CSiltKernels
import DeltaCodecs
import TensorTypes
import TestSupport

/// A coded matrix, and what tests do with it.
struct CodedMatrix {
    let request: MatrixRequest
    let encoded: EncodedMatrix

    init(_ dense: [Float], _ request: MatrixRequest) {
        self.request = request
        encoded = unsafe MatrixEncoder.encode(dense, request)
    }

    init(codes: [Int32], _ request: MatrixRequest) {
        self.request = request
        encoded = unsafe MatrixEncoder.encode(codes: codes, request)
    }

    init(_ request: MatrixRequest, _ encoded: EncodedMatrix) { (self.request, self.encoded) = (request, encoded) }

    var grid: MatrixGrid { MatrixGrid(rows: request.rows, columns: request.columns) }

    func decoder(level: KernelLevel = .best) throws(MatrixError) -> MatrixDecoder {
        let column = encoded.columnChunk.map { ByteBuffer($0) }
        return try unsafe MatrixDecoder(
            encoded.coding, rows: request.rows, columns: request.columns, identity: request.identity,
            maskTables: encoded.maskTables, valueTables: encoded.valueTables,
            columnChunk: column.map { unsafe UnsafeRawBufferPointer($0.prefix(encoded.columnChunk?.count ?? 0)) },
            level: level)
    }

    /// One cell's elements.
    func cell(
        _ cell: Int, _ decoder: MatrixDecoder, _ workspace: MatrixWorkspace
    ) throws(ChunkError) -> [Float] {
        let rows = grid.rows(of: cell)
        let chunk = ByteBuffer(encoded.chunks[cell])
        var out = [Float](repeating: .nan, count: rows.count * request.columns)
        try unsafe decoder.decode(
            UnsafeRawBufferPointer(chunk.prefix(encoded.chunks[cell].count)), rows: rows, into: &out,
            workspace: workspace)
        return out
    }

    /// All elements.
    func decode(level: KernelLevel = .best) throws -> [Float] {
        let decoder = try decoder(level: level)
        let workspace = MatrixWorkspace(level: level)
        var all: [Float] = []
        for index in encoded.chunks.indices { all += try cell(index, decoder, workspace) }
        return all
    }

    /// Whether the elements are refused: by the tables, the columns or a chunk.
    var isRefused: Bool {
        do {
            _ = try decode()
            return false
        } catch {
            return true
        }
    }

    /// Which elements stay, by section 12.3.
    func stays() -> [Bool] {
        var stays = [Bool](repeating: true, count: request.rows * request.columns)
        for mask in request.masks {
            let count =
                switch mask.over {
                case .elements: stays.count
                case .rows: request.rows
                case .columns: request.columns
                }
            let bits: [Bool]
            switch mask.source {
            case .positions(let set): bits = (0..<count).map { set[$0] }
            case .seeded(let seed, let threshold):
                var words = [UInt64](repeating: 0, count: (count + 63) / 64)
                unsafe silt_philox_mask(
                    Int32(SILT_LEVEL_SCALAR), seed, request.identity, 0, count, threshold, &words)
                bits = (0..<count).map { words[$0 / 64] >> UInt64($0 % 64) & 1 == 1 }
            }
            for index in stays.indices {
                let position =
                    switch mask.over {
                    case .elements: index
                    case .rows: index / request.columns
                    case .columns: index % request.columns
                    }
                if !bits[position] { stays[index] = false }
            }
        }
        return stays
    }

    /// The scales in a cell's chunk.
    private func scales(_ cell: Int, count: Int) throws -> [Float] {
        let chunk = ByteBuffer(encoded.chunks[cell])
        let bytes = unsafe UnsafeRawBufferPointer(chunk.prefix(encoded.chunks[cell].count))
        var position = 0
        let stored = encoded.coding.masks.count { $0.isStored && $0.over != .columns }
        for _ in 0..<stored { position += unsafe (LEB128.read(bytes, at: &position) ?? 0) }
        let length = unsafe LEB128.read(bytes, at: &position) ?? 0
        var steps = [Int32](repeating: 0, count: count)
        try unsafe AdaptiveStream.decode(
            UnsafeRawBufferPointer(rebasing: bytes[position..<position + length]), count: count, isSigned: true,
            into: &steps)
        var pattern: Int32 = 0
        return steps.map { step in
            pattern += step
            return Float(bitPattern: UInt32(pattern) << 16)
        }
    }

    /// What decoding must give, by sections 12.3 and 12.4, from what was coded.
    func expected(_ dense: [Float]) throws -> [Float] {
        let stays = stays()
        var expected = [Float](repeating: 0, count: dense.count)
        for cell in encoded.chunks.indices where !encoded.chunks[cell].isEmpty {
            let rows = grid.rows(of: cell)
            let kept = (rows.lowerBound * request.columns..<rows.upperBound * request.columns).filter { stays[$0] }
            var scales: [Float] = []
            switch encoded.coding.values.scale {
            case .rows where !kept.isEmpty: scales = try self.scales(cell, count: rows.count)
            case .groups(let size) where !kept.isEmpty:
                scales = try self.scales(cell, count: (kept.count + size - 1) / size)
            default: break
            }
            for (order, index) in kept.enumerated() {
                let row = index / request.columns
                let scale: Float
                switch encoded.coding.values.scale {
                case .none: scale = 1
                case .step(let step): scale = step
                case .rows: scale = scales[row - rows.lowerBound]
                case .groups(let size): scale = scales[order / size]
                }
                var value = rounded(dense[index], scale)
                switch request.q {
                case nil: break
                case .all(let q): value /= Float(q)
                case .rows(let q): value /= Float(q[row])
                }
                expected[index] = value
            }
        }
        return expected
    }

    private func rounded(_ value: Float, _ scale: Float) -> Float {
        switch request.values {
        case .f32: return value
        case .f16: return Float(Float16(value))
        case .bf16:
            let bits = value.bitPattern
            return Float(bitPattern: (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000)
        case .sign: return value >= 0 ? scale : -scale
        case .int8, .int4, .int2, .int:
            if scale == 0 { return 0 }
            let largest = Float(request.values.largestCode)
            // A code has no zero with a sign.
            return Float(Int(min(max((value / scale).rounded(.toNearestOrEven), -largest), largest))) * scale
        }
    }
}

/// Ways to have masks.
enum MaskKind: String, CaseIterable, Sendable {
    case none, seeded, seededRows, seededColumns, elements, rows, columns, all, mixed

    func masks(rows: Int, columns: Int, _ generator: inout SeededGenerator) -> [MaskRequest] {
        func random(_ count: Int, share: Int) -> MaskRequest.Source {
            var set = Bitset(count: count)
            for index in 0..<count { set[index] = generator.below(10) < share }
            return .positions(set)
        }
        let seeded = MaskRequest.Source.seeded(seed: 77, threshold: 1 << 31)
        return switch self {
        case .none: []
        case .seeded: [MaskRequest(over: .elements, source: .seeded(seed: 1 << 40, threshold: 3_435_973_836))]
        case .seededRows: [MaskRequest(over: .rows, source: seeded)]
        case .seededColumns: [MaskRequest(over: .columns, source: seeded)]
        case .elements: [MaskRequest(over: .elements, source: random(rows * columns, share: 2))]
        case .rows: [MaskRequest(over: .rows, source: random(rows, share: 4))]
        case .columns: [MaskRequest(over: .columns, source: random(columns, share: 6))]
        case .all:
            [
                MaskRequest(over: .columns, source: random(columns, share: 6)),
                MaskRequest(over: .elements, source: random(rows * columns, share: 5)),
                MaskRequest(over: .rows, source: random(rows, share: 7)),
            ]
        case .mixed:
            [
                MaskRequest(over: .rows, source: random(rows, share: 7)),
                MaskRequest(over: .columns, source: seeded),
                MaskRequest(over: .elements, source: .seeded(seed: 3, threshold: 1 << 31)),
            ]
        }
    }
}
