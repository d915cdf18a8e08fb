internal import CSiltKernels
internal import TensorTypes

/// Reads the stored positions of one mask (Formats/Silt.md, section 12.3).
final class MaskDecoder: Sendable {
    private let positions: MaskCoding.Positions
    private let symbols: PlaneDecoder?

    /// `tables` are the stored bytes of plane tables, for codec `rans`.
    init(_ coding: MaskCoding, tables: [UInt8]?) throws(TablesError) {
        positions = coding.positions
        if coding.hasTables {
            guard let tables else { throw TablesError(reason: "is missing") }
            symbols = PlaneDecoder(try PlaneTables(stored: tables, elementBytes: 1))
        } else {
            symbols = nil
        }
    }

    /// Reads `rows` times `columns` positions.
    ///
    /// Rows count where symbols begin anew with each.
    func decode(
        _ bytes: UnsafeRawBufferPointer, rows: Int, columns: Int, into words: UnsafeMutablePointer<UInt64>,
        workspace: MatrixWorkspace
    ) throws(ChunkError) {
        let count = rows * columns
        switch positions {
        case .seeded: preconditionFailure("a seeded mask is not stored")
        case .bits(.rans, let width):
            let number = rows * ((columns + width - 1) / width)
            let symbols = unsafe try plane(bytes, count: number, workspace)
            guard unsafe silt_symbols_mask(symbols, rows, columns, UInt32(width), words) != 0 else {
                throw ChunkError(reason: "a mask has bits past the end of a row")
            }
        case .bits: try unsafe packed(bytes, count: count, into: words)
        case .gaps(let codec):
            var position = 0
            guard let number = unsafe LEB128.read(bytes, at: &position) else {
                throw ChunkError(reason: "a mask does not state how many gaps it has")
            }
            guard number <= (codec == .rans ? count + count / 255 : count) else {
                throw ChunkError(reason: "a mask of \(count) positions has \(number) gaps")
            }
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[position...])
            let fits: Int32
            if codec == .rans {
                let gapBytes = unsafe try plane(rest, count: number, workspace)
                fits = unsafe silt_gap_bytes_mask(gapBytes, number, count, words)
            } else {
                let gaps = unsafe workspace.integers.room(Int32.self, number)
                if codec == .adaptive {
                    unsafe try AdaptiveStream.decode(rest, count: number, isSigned: false, into: gaps)
                } else {
                    unsafe try plain(rest, number: number, below: count, into: gaps)
                }
                fits = unsafe silt_gaps_mask(gaps, number, count, words)
            }
            guard fits != 0 else { throw ChunkError(reason: "the gaps of a mask lead past its \(count) positions") }
        }
    }

    private func plane(
        _ bytes: UnsafeRawBufferPointer, count: Int, _ workspace: MatrixWorkspace
    ) throws(ChunkError) -> UnsafeMutablePointer<UInt8> {
        let plane = unsafe workspace.symbols.room(UInt8.self, count)
        guard count > 0 else {
            guard bytes.count == 0 else { throw ChunkError(reason: "bytes are left over after a mask without gaps") }
            return unsafe plane
        }
        guard let symbols else { preconditionFailure("codec rans has tables") }
        unsafe try symbols.decode(bytes, planes: plane, count: count, level: workspace.level)
        return unsafe plane
    }

    private func packed(
        _ bytes: UnsafeRawBufferPointer, count: Int, into words: UnsafeMutablePointer<UInt64>
    ) throws(ChunkError) {
        guard bytes.count == (count + 7) / 8, let start = bytes.baseAddress else {
            throw ChunkError(reason: "a mask of \(count) positions has \(bytes.count) bytes")
        }
        let last = unsafe bytes[bytes.count - 1]
        guard count % 8 == 0 || last >> UInt8(count % 8) == 0 else {
            throw ChunkError(reason: "a mask has bits past its end")
        }
        unsafe words[wordCount(count) - 1] = 0
        unsafe UnsafeMutableRawPointer(words).copyMemory(from: start, byteCount: bytes.count)
    }

    private func plain(
        _ bytes: UnsafeRawBufferPointer, number: Int, below count: Int, into gaps: UnsafeMutablePointer<Int32>
    ) throws(ChunkError) {
        var position = 0
        for index in 0..<number {
            guard let gap = unsafe LEB128.read(bytes, at: &position), gap < count else {
                throw ChunkError(reason: "a gap of a mask is not below its \(count) positions")
            }
            unsafe gaps[index] = Int32(gap)
        }
        guard position == bytes.count else { throw ChunkError(reason: "bytes are left over after a mask's gaps") }
    }
}
