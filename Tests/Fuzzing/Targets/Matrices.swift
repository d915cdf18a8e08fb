internal import DeltaCodecs
internal import SiltFormat
internal import TensorTypes
internal import TestSupport

extension FuzzTarget {
    /// A matrix of at most one cell, as a manifest describes it, with its tables and chunk.
    static let matrix = FuzzTarget("matrix") {
        VectorParts.all("valid", limit: 20_000).flatMap { FuzzTarget.matrices(of: $0) }
    } body: { bytes in
        var input = FuzzInput(bytes)
        let matrix = FuzzMatrix(&input)
        // The rules that a manifest has kept to before any chunk is read.
        guard matrix.coding.fault(rows: matrix.rows) == nil else { return }
        try FuzzTarget.compare(KernelLevel.available) { level in try matrix.decode(level) }
    }

    private static func matrices(of vector: VectorParts) -> [[UInt8]] {
        guard let reader = vector.reader else { return [] }
        return reader.parts.flatMap { tensor, part -> [[UInt8]] in
            let shape = tensor.matrixShape(of: part)
            return part.components.flatMap { component -> [[UInt8]] in
                switch component {
                case .sparse(let matrix):
                    return [FuzzMatrix(matrix, shape.rows, shape.columns, vector)?.bytes].compactMap { $0 }
                case .lowRank(let product):
                    return [(product.left, shape.rows), (product.right, shape.columns)].compactMap { matrix, columns in
                        FuzzMatrix(matrix, product.rank, columns, vector)?.bytes
                    }
                }
            }
        }
    }
}

/// A matrix as an input has it.
private struct FuzzMatrix {
    private static let overs = MaskCoding.Over.allCases
    private static let codecs = StreamCodec.allCases

    let rows: Int
    let columns: Int
    let coding: MatrixCoding
    private let maskTables: [[UInt8]?]
    private let valueTables: [UInt8]?
    private let columnChunk: [UInt8]?
    private let chunk: [UInt8]

    init(_ input: inout FuzzInput) {
        rows = 1 + input.short() % 512
        columns = 1 + input.short() % 512
        var masks: [MaskCoding] = []
        var tables: [[UInt8]?] = []
        for _ in 0..<input.byte() % 4 {
            let over = input.choice(FuzzMatrix.overs)
            let (kind, codec, width) = (input.byte() % 3, input.choice(FuzzMatrix.codecs), input.byte())
            let (seed, threshold) = (UInt64(input.short()), input.word())
            let positions: MaskCoding.Positions =
                switch kind {
                case 0: .seeded(seed: seed, threshold: threshold)
                case 1: .bits(codec, width: width)
                default: .gaps(codec)
                }
            let mask = MaskCoding(over: over, positions: positions)
            let stored = input.run()
            masks.append(mask)
            tables.append(mask.hasTables ? stored : nil)
        }
        let type = input.choice(ValueType.allCases)
        let codec = input.choice(FuzzMatrix.codecs)
        let (kind, step, group) = (input.byte() % 4, Float(bitPattern: input.word()), input.short())
        let scale: ValueCoding.Scale =
            switch kind {
            case 0: .none
            case 1: .step(step)
            case 2: .rows
            default: .groups(group)
            }
        let (rescale, factor) = (input.byte() % 3, Double(Float(bitPattern: input.word())))
        let q: RescaleFactor? =
            switch rescale {
            case 0: nil
            case 1: .all(factor)
            default: .rows([Double](repeating: factor, count: rows))
            }
        coding = MatrixCoding(masks: masks, values: ValueCoding(type: type, codec: codec, scale: scale), q: q)
        let (values, columnBytes) = (input.run(), input.run())
        maskTables = tables
        valueTables = codec == .rans ? values : nil
        columnChunk = masks.contains { $0.over == .columns && $0.isStored } ? columnBytes : nil
        chunk = input.rest()
    }

    /// What a file stores; nil if it has more than one cell.
    init?(_ record: MatrixRecord, _ rows: Int, _ columns: Int, _ vector: VectorParts) {
        guard (1...512).contains(rows), (1...512).contains(columns), record.chunks.count == 1 else { return nil }
        (self.rows, self.columns, coding) = (rows, columns, record.coding)
        maskTables = record.maskTables.map { $0.map(vector.chunk) }
        valueTables = record.valueTables.map(vector.chunk)
        columnChunk = record.columnChunk.map(vector.chunk)
        chunk = vector.chunk(record.chunks.lowerBound)
    }

    /// The input that gives this matrix.
    var bytes: [UInt8] {
        var output = FuzzOutput()
        output.short(rows - 1)
        output.short(columns - 1)
        output.byte(coding.masks.count)
        for (mask, tables) in zip(coding.masks, maskTables) {
            output.choice(mask.over, of: FuzzMatrix.overs)
            var (kind, codec, wide, key, least) = (0, StreamCodec.none, 8, UInt64(0), UInt32(1))
            switch mask.positions {
            case .seeded(let seed, let threshold): (key, least) = (seed, threshold)
            case .bits(let stream, let width): (kind, codec, wide) = (1, stream, width)
            case .gaps(let stream): (kind, codec) = (2, stream)
            }
            output.byte(kind)
            output.choice(codec, of: FuzzMatrix.codecs)
            output.byte(wide)
            output.short(Int(key & 0xFFFF))
            output.word(least)
            output.run(tables ?? [])
        }
        output.choice(coding.values.type, of: ValueType.allCases)
        output.choice(coding.values.codec, of: FuzzMatrix.codecs)
        var (kind, pattern, group) = (0, UInt32(0), 0)
        switch coding.values.scale {
        case .none: break
        case .step(let step): (kind, pattern) = (1, step.bitPattern)
        case .rows: kind = 2
        case .groups(let size): (kind, group) = (3, size)
        }
        output.byte(kind)
        output.word(pattern)
        output.short(group)
        switch coding.q {
        case nil: output.byte(0)
        case .all: output.byte(1)
        case .rows: output.byte(2)
        }
        var factor = 0.5
        if case .all(let q) = coding.q { factor = q }
        output.word(Float(factor).bitPattern)
        output.run(valueTables ?? [])
        output.run(columnChunk ?? [])
        output.rest(chunk)
        return output.bytes
    }

    /// The elements as bytes.
    func decode(_ level: KernelLevel) throws -> [UInt8] {
        let column = columnChunk.map { ByteBuffer($0) }
        let decoder = try unsafe MatrixDecoder(
            coding, rows: rows, columns: columns, identity: 3, maskTables: maskTables, valueTables: valueTables,
            columnChunk: column.map { unsafe UnsafeRawBufferPointer($0.prefix(columnChunk?.count ?? 0)) }, level: level)
        let count = rows * columns
        let out = ByteBuffer(capacity: 4 * count)
        try unsafe GuardedBytes.with(chunk) { start in
            try unsafe decoder.decode(
                UnsafeRawBufferPointer(start: start, count: chunk.count), rows: 0..<rows,
                into: out.start.assumingMemoryBound(to: Float.self), workspace: MatrixWorkspace(level: level))
        }
        return out.bytes(4 * count)
    }
}
