internal import CSiltKernels
package import TensorTypes

/// Why a matrix cannot be decoded: what is at fault.
package enum MatrixError: Error, Sendable {
    /// A chunk of tables, of the mask with this index or (nil) of the values.
    case tables(TablesError, mask: Int?)
    /// The chunk of a mask over columns.
    case columns(ChunkError)
}

/// Reads the cells of a matrix (Formats/Silt.md, sections 12.3 and 12.4).
///
/// One for each matrix; workers share it.
package final class MatrixDecoder: Sendable {
    private let coding: MatrixCoding
    package let grid: MatrixGrid
    private let identity: UInt64
    private let masks: [MaskDecoder]
    private let values: ValueDecoder
    /// The columns that stay; nil if no mask is over columns.
    private let columnBits: [UInt64]?
    /// The rescale factor of each row; nil if it is one number or none.
    private let rowDivisors: [Float]?

    /// A decoder for a coding without a fault.
    ///
    /// - Parameters:
    ///   - identity: I of section 12.3, for seeded masks.
    ///   - maskTables: for each mask the stored bytes of its plane tables; nil where its codec is not `rans`.
    ///   - valueTables: those of the values.
    ///   - columnChunk: the stored bytes of a mask over columns that is not seeded, readable for `ByteBuffer.padding`
    ///     bytes past their end.
    package init(
        _ coding: MatrixCoding, rows: Int, columns: Int, identity: UInt64, maskTables: [[UInt8]?],
        valueTables: [UInt8]?, columnChunk: UnsafeRawBufferPointer?, level: KernelLevel = .best
    ) throws(MatrixError) {
        precondition(coding.fault(rows: rows) == nil, "codings with faults are refused before")
        precondition(maskTables.count == coding.masks.count)
        self.coding = coding
        self.identity = identity
        grid = MatrixGrid(rows: rows, columns: columns)
        var masks: [MaskDecoder] = []
        var columnBits: [UInt64]?
        for (index, mask) in coding.masks.enumerated() {
            let decoder: MaskDecoder
            do throws(TablesError) {
                decoder = try MaskDecoder(mask, tables: maskTables[index])
            } catch {
                throw .tables(error, mask: index)
            }
            masks.append(decoder)
            guard mask.over == .columns else { continue }
            do throws(ChunkError) {
                columnBits = try unsafe MatrixDecoder.columnBits(
                    mask, decoder, columns, identity: identity, chunk: columnChunk, level)
            } catch {
                throw .columns(error)
            }
        }
        self.masks = masks
        self.columnBits = columnBits
        var divisor: Float?
        var rowDivisors: [Float]?
        switch coding.q {
        case nil: break
        case .all(let q): divisor = Float(q)
        case .rows(let q): rowDivisors = q.map { Float($0) }
        }
        self.rowDivisors = rowDivisors
        do throws(TablesError) {
            values = try ValueDecoder(coding.values, divisor: divisor, tables: valueTables)
        } catch {
            throw .tables(error, mask: nil)
        }
    }

    private static func columnBits(
        _ mask: MaskCoding, _ decoder: MaskDecoder, _ columns: Int, identity: UInt64, chunk: UnsafeRawBufferPointer?,
        _ level: KernelLevel
    ) throws(ChunkError) -> [UInt64] {
        let workspace = MatrixWorkspace(level: level)
        let words = unsafe workspace.positions.room(UInt64.self, wordCount(columns))
        if case .seeded(let seed, let threshold) = mask.positions {
            unsafe silt_philox_mask(level.rawValue, seed, identity, 0, columns, threshold, words)
        } else {
            guard let chunk = unsafe chunk, chunk.count > 0 else {
                throw ChunkError(reason: "a mask over columns is empty")
            }
            try unsafe decoder.decode(chunk, rows: 1, columns: columns, into: words, workspace: workspace)
        }
        return unsafe Array(UnsafeBufferPointer(start: words, count: wordCount(columns)))
    }

    /// Reads the cell of rows `rows` into `rows.count` times `columns` floats, already divided by q.
    ///
    /// - Parameters:
    ///   - chunk: the stored bytes, readable for `ByteBuffer.padding` bytes past their end; empty: all is 0.
    ///   - out: what a mask drops is +0.
    /// - Throws: `ChunkError` where the chunk breaks section 12. What is in `out` then has no meaning.
    package func decode(
        _ chunk: UnsafeRawBufferPointer, rows: Range<Int>, into out: UnsafeMutablePointer<Float>,
        workspace: MatrixWorkspace
    ) throws(ChunkError) {
        let count = size(of: rows)
        guard chunk.count > 0 else {
            unsafe out.update(repeating: 0, count: count)
            return
        }
        guard hasMasks else {
            var position = 0
            try unsafe values(of: rows, chunk, at: &position, words: nil, count: count, into: out, workspace)
            return
        }
        if let kept = try unsafe kept(chunk, rows: rows, workspace: workspace) {
            unsafe silt_scatter(workspace.level.rawValue, kept.words, count, kept.values, out)
        } else {
            unsafe out.update(repeating: 0, count: count)
        }
    }

    /// Whether some elements are dropped.
    package var hasMasks: Bool { !coding.masks.isEmpty }

    /// What the masks of a cell keep; both are in the workspace.
    @unsafe package struct Kept {
        /// A bit for each element of the cell.
        package let words: UnsafePointer<UInt64>
        /// The values of those that stay, in order, already divided by q.
        package let values: UnsafePointer<Float>
        /// How many stay.
        package let count: Int
    }

    /// Reads the cell of rows `rows` as what the masks keep; nil if nothing stays or all is 0.
    ///
    /// - Parameter chunk: as for `decode`.
    /// - Throws: `ChunkError` where the chunk breaks section 12.
    package func kept(
        _ chunk: UnsafeRawBufferPointer, rows: Range<Int>, workspace: MatrixWorkspace
    ) throws(ChunkError) -> Kept? {
        precondition(hasMasks, "without masks everything stays")
        let count = size(of: rows)
        guard chunk.count > 0 else { return nil }
        var position = 0
        let words = unsafe try mask(chunk, at: &position, rows: rows, workspace)
        let kept = unsafe silt_mask_population(words, 0, count)
        guard kept > 0 else {
            guard position == chunk.count else { throw ChunkError(reason: "it has values, but no element is kept") }
            return nil
        }
        let values = unsafe workspace.values.room(Float.self, kept)
        try unsafe self.values(of: rows, chunk, at: &position, words: words, count: kept, into: values, workspace)
        return unsafe Kept(words: words, values: values, count: kept)
    }

    private func size(of rows: Range<Int>) -> Int {
        precondition(rows.lowerBound >= 0 && rows.upperBound <= grid.rows && rows.count <= grid.rowsPerCell)
        return rows.count * grid.columns
    }

    /// The values of the `count` elements of a cell that stay, divided by q.
    private func values(
        of rows: Range<Int>, _ chunk: UnsafeRawBufferPointer, at position: inout Int, words: UnsafePointer<UInt64>?,
        count: Int, into out: UnsafeMutablePointer<Float>, _ workspace: MatrixWorkspace
    ) throws(ChunkError) {
        var rowRuns: [Int] = []
        if coding.values.scale == .rows || rowDivisors != nil {
            rowRuns = unsafe MatrixDecoder.rowRuns(words, rows: rows.count, columns: grid.columns)
        }
        var runs = rowRuns
        if case .groups(let size) = coding.values.scale { runs = MatrixDecoder.groups(of: size, in: count) }
        var scales: UnsafeRawBufferPointer?
        if coding.values.hasScales {
            unsafe scales = try MatrixDecoder.block(chunk, at: &position, "scales")
        }
        let rest = unsafe UnsafeRawBufferPointer(rebasing: chunk[position...])
        try unsafe values.decode(rest, count: count, scales: scales, runs: runs, into: out, workspace: workspace)
        guard let rowDivisors else { return }
        var at = unsafe out
        for (row, run) in zip(rows, rowRuns) {
            unsafe silt_divide(at, run, rowDivisors[row])
            unsafe at += run
        }
    }

    /// The bits of the elements that stay.
    private func mask(
        _ chunk: UnsafeRawBufferPointer, at position: inout Int, rows: Range<Int>, _ workspace: MatrixWorkspace
    ) throws(ChunkError) -> UnsafeMutablePointer<UInt64> {
        let columns = grid.columns
        let count = rows.count * columns
        let words = unsafe workspace.mask.room(UInt64.self, wordCount(count))
        let hasElements = coding.masks.contains { $0.over == .elements }
        if !hasElements { unsafe silt_mask_fill(words, count) }
        var rowBits: UnsafeMutablePointer<UInt64>?
        for (mask, decoder) in zip(coding.masks, masks) where mask.over != .columns {
            let isElements = mask.over == .elements
            let target =
                unsafe isElements ? words : workspace.positions.room(UInt64.self, wordCount(rows.count))
            if !isElements { unsafe rowBits = target }
            if case .seeded(let seed, let threshold) = mask.positions {
                let scale = isElements ? columns : 1
                unsafe silt_philox_mask(
                    workspace.level.rawValue, seed, identity, UInt64(rows.lowerBound) * UInt64(scale),
                    rows.count * scale, threshold, target)
            } else {
                let bytes = unsafe try MatrixDecoder.block(chunk, at: &position, "positions")
                try unsafe decoder.decode(
                    bytes, rows: isElements ? rows.count : 1, columns: isElements ? columns : rows.count, into: target,
                    workspace: workspace)
            }
        }
        if unsafe rowBits != nil || columnBits != nil {
            if let columnBits {
                unsafe silt_mask_and(words, rows.count, columns, rowBits, columnBits)
            } else {
                unsafe silt_mask_and(words, rows.count, columns, rowBits, nil)
            }
        }
        return unsafe words
    }

    /// The bytes of a block that begins with its length.
    private static func block(
        _ chunk: UnsafeRawBufferPointer, at position: inout Int, _ what: String
    ) throws(ChunkError) -> UnsafeRawBufferPointer {
        guard let length = unsafe LEB128.read(chunk, at: &position), length <= chunk.count - position else {
            throw ChunkError(reason: "its \(what) do not fit into it")
        }
        defer { position += length }
        return unsafe UnsafeRawBufferPointer(rebasing: chunk[position..<position + length])
    }

    /// How many elements of each row stay.
    static func rowRuns(_ words: UnsafePointer<UInt64>?, rows: Int, columns: Int) -> [Int] {
        guard let words = unsafe words else { return [Int](repeating: columns, count: rows) }
        return (0..<rows).map { unsafe silt_mask_population(words, $0 * columns, columns) }
    }

    /// The sizes of groups of `count` values.
    static func groups(of size: Int, in count: Int) -> [Int] {
        stride(from: 0, to: count, by: min(size, count)).map { min(size, count - $0) }
    }
}
