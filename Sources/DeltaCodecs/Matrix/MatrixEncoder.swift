internal import TensorTypes

/// Writes matrices (Formats/Silt.md, sections 12.3 and 12.4).
package enum MatrixEncoder {
    /// Codes the elements that the masks keep, as takes fewest bytes.
    ///
    /// - Parameters:
    ///   - dense: `rows` times `columns` finite floats, not divided by q; what masks drop is not looked at.
    ///   - workspace: buffers to use again.
    package static func encode(
        _ dense: UnsafePointer<Float>, _ request: MatrixRequest, workspace: MatrixWorkspace = MatrixWorkspace()
    ) -> EncodedMatrix {
        unsafe encode(request, workspace: workspace) { rows in unsafe dense + rows.lowerBound * request.columns }
    }

    /// Codes a matrix that nobody has in memory as a whole.
    ///
    /// - Parameters:
    ///   - workspace: buffers to use again.
    ///   - matrix: gives all elements of some rows, which need to be there until it is asked again; those of each cell
    ///     once, in order.
    package static func encode<Failure>(
        _ request: MatrixRequest, workspace: MatrixWorkspace = MatrixWorkspace(),
        matrix: (Range<Int>) throws(Failure) -> UnsafePointer<Float>
    ) throws(Failure) -> EncodedMatrix {
        let kept = KeptElements(request, workspace)
        let values =
            try unsafe request.values.isFloat
            ? CellValues(floats: matrix, kept, type: request.values, workspace)
            : CellValues(quantising: matrix, kept, request, workspace)
        return encode(values, kept, request, workspace)
    }

    /// Codes integers that stand for themselves times the scale, which the request gives (`fixed` or `givenRows`).
    ///
    /// - Parameters:
    ///   - codes: `rows` times `columns` of them, within the type of the request, which is one of integers.
    ///   - workspace: buffers to use again.
    package static func encode(
        codes: UnsafePointer<Int32>, _ request: MatrixRequest, workspace: MatrixWorkspace = MatrixWorkspace()
    ) -> EncodedMatrix {
        precondition(!request.values.isFloat && request.values != .sign)
        let kept = KeptElements(request, workspace)
        let values = unsafe CellValues(codes: codes, kept, request, workspace)
        return encode(values, kept, request, workspace)
    }

    private static func encode(
        _ values: CellValues, _ kept: KeptElements, _ request: MatrixRequest, _ workspace: MatrixWorkspace
    ) -> EncodedMatrix {
        let grid = kept.grid
        let live = values.isZero.indices.filter { !values.isZero[$0] }
        let coded: ValueEncoder
        switch request.values {
        case .int: coded = ValueEncoder(integers: live.map { values.integers[$0] }, workspace)
        case .f32, .f16, .bf16:
            coded = ValueEncoder(
                patterns: live.map { values.bytes[$0] }, type: request.values, codec: request.valueCodec, workspace)
        default:
            coded = ValueEncoder(
                folded: live.map { values.bytes[$0] }, type: request.values, codec: request.valueCodec, workspace)
        }
        var chunks = [[UInt8]](repeating: [], count: grid.cells)
        var codings: [MaskCoding] = []
        var maskTables: [[UInt8]?] = []
        var columnChunk: [UInt8]?
        for mask in request.masks {
            if case .seeded(let seed, let threshold) = mask.source {
                codings.append(MaskCoding(over: mask.over, positions: .seeded(seed: seed, threshold: threshold)))
                maskTables.append(nil)
                continue
            }
            let isColumns = mask.over == .columns
            let streams = (isColumns ? [0] : live).map { positions(mask, $0, request, grid, workspace.level) }
            let encoder = MaskEncoder(streams, request, workspace)
            codings.append(MaskCoding(over: mask.over, positions: encoder.positions))
            maskTables.append(encoder.tables)
            if isColumns {
                columnChunk = encoder.streams.first
            } else {
                for (cell, stream) in zip(live, encoder.streams) { append(stream, to: &chunks[cell]) }
            }
        }
        for (cell, stream) in zip(live, coded.streams) {
            if !values.scales[cell].isEmpty {
                append(scales(values.scales[cell], workspace), to: &chunks[cell])
            }
            chunks[cell] += stream
        }
        let coding = MatrixCoding(
            masks: codings, values: ValueCoding(type: request.values, codec: coded.codec, scale: values.scale),
            q: request.q)
        return EncodedMatrix(
            coding: coding, chunks: chunks, maskTables: maskTables, valueTables: coded.tables, columnChunk: columnChunk)
    }

    /// The positions of a stored mask in a cell; those of a mask over columns are the same in all.
    private static func positions(
        _ mask: MaskRequest, _ cell: Int, _ request: MatrixRequest, _ grid: MatrixGrid, _ level: KernelLevel
    ) -> PositionStream {
        let rows = grid.rows(of: cell)
        let range = KeptElements.range(mask.over, rows: rows, columns: grid.columns)
        let isElements = mask.over == .elements
        return PositionStream(
            words: KeptElements.bits(mask, range, identity: request.identity, level: level),
            rows: isElements ? rows.count : 1, columns: isElements ? grid.columns : range.count)
    }

    /// Differences of neighbouring patterns.
    private static func scales(_ patterns: [UInt16], _ workspace: MatrixWorkspace) -> [UInt8] {
        var previous: Int32 = 0
        let steps = patterns.map { pattern in
            defer { previous = Int32(pattern) }
            return Int32(pattern) - previous
        }
        return AdaptiveStream.encode(steps, isSigned: true, room: workspace.words)
    }

    private static func append(_ block: [UInt8], to chunk: inout [UInt8]) {
        LEB128.append(block.count, to: &chunk)
        chunk += block
    }
}
