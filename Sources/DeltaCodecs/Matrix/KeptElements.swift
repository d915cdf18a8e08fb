internal import CSiltKernels
internal import TensorTypes

/// Which elements of a matrix its masks keep, cell by cell; in a buffer of the workspace, so one matrix at a time.
struct KeptElements {
    let grid: MatrixGrid
    /// How many elements of each cell stay, and how many of all cells before it.
    let counts: [Int]
    let offsets: [Int]
    var total: Int { (offsets.last ?? 0) + (counts.last ?? 0) }

    /// The bits, every cell from a new word on; nil if there are no masks.
    private let masks: ByteBuffer?
    private let wordsPerCell: Int

    init(_ request: MatrixRequest, _ workspace: MatrixWorkspace) {
        let grid = MatrixGrid(rows: request.rows, columns: request.columns)
        self.grid = grid
        let wordsPerCell = wordCount(grid.rowsPerCell * grid.columns)
        self.wordsPerCell = wordsPerCell
        let elements = (0..<grid.cells).map { grid.rows(of: $0).count * grid.columns }
        var counts = elements
        if request.masks.isEmpty {
            masks = nil
        } else {
            let start = unsafe workspace.masks.room(UInt64.self, wordsPerCell * grid.cells)
            for cell in 0..<grid.cells {
                let target = unsafe start + cell * wordsPerCell
                unsafe KeptElements.fill(target, request, grid.rows(of: cell), workspace)
                counts[cell] = unsafe silt_mask_population(target, 0, elements[cell])
            }
            masks = workspace.masks
        }
        self.counts = counts
        var sum = 0
        offsets = counts.map { count in
            defer { sum += count }
            return sum
        }
    }

    /// Positions of one mask in a cell: those of its elements or of its rows, or all columns.
    static func range(_ over: MaskCoding.Over, rows: Range<Int>, columns: Int) -> Range<Int> {
        switch over {
        case .elements: rows.lowerBound * columns..<rows.upperBound * columns
        case .rows: rows
        case .columns: 0..<columns
        }
    }

    /// The bits of one mask at some positions, from a new word on.
    static func bits(
        _ mask: MaskRequest, _ range: Range<Int>, identity: UInt64, level: KernelLevel
    ) -> [UInt64] {
        unsafe [UInt64](unsafeUninitializedCapacity: wordCount(range.count)) { buffer, count in
            guard let start = buffer.baseAddress else { return }
            switch mask.source {
            case .seeded(let seed, let threshold):
                unsafe silt_philox_mask(
                    level.rawValue, seed, identity, UInt64(range.lowerBound), range.count, threshold, start)
            case .positions(let bits):
                unsafe silt_mask_copy(bits.words, range.lowerBound, range.count, start)
            }
            count = wordCount(range.count)
        }
    }

    private static func fill(
        _ target: UnsafeMutablePointer<UInt64>, _ request: MatrixRequest, _ rows: Range<Int>,
        _ workspace: MatrixWorkspace
    ) {
        let columns = request.columns
        func bits(_ over: MaskCoding.Over) -> [UInt64]? {
            request.masks.first { $0.over == over }.map {
                KeptElements.bits(
                    $0, range(over, rows: rows, columns: columns), identity: request.identity, level: workspace.level)
            }
        }
        if let elements = bits(.elements) {
            unsafe target.update(from: elements, count: elements.count)
        } else {
            unsafe silt_mask_fill(target, rows.count * columns)
        }
        if let rowBits = bits(.rows) { unsafe silt_mask_and(target, rows.count, columns, rowBits, nil) }
        if let columnBits = bits(.columns) { unsafe silt_mask_and(target, rows.count, columns, nil, columnBits) }
    }

    /// Copies the elements of a cell that stay, in order, from all elements of its rows.
    ///
    /// The elements are of any type of 4 bytes: only their bits are moved.
    func gather(
        _ cell: Int, from source: UnsafeRawPointer, into values: UnsafeMutableRawPointer, _ level: KernelLevel
    ) {
        let rows = grid.rows(of: cell)
        guard let words = unsafe words(cell) else {
            unsafe values.copyMemory(from: source, byteCount: 4 * counts[cell])
            return
        }
        _ = unsafe silt_gather(
            level.rawValue, words, rows.count * grid.columns, source.assumingMemoryBound(to: Float.self),
            values.assumingMemoryBound(to: Float.self))
    }

    /// How many elements of each row of a cell stay.
    func rowRuns(_ cell: Int) -> [Int] {
        let rows = grid.rows(of: cell).count
        return unsafe MatrixDecoder.rowRuns(words(cell), rows: rows, columns: grid.columns)
    }

    /// The bits of a cell.
    private func words(_ cell: Int) -> UnsafePointer<UInt64>? {
        guard let masks else { return nil }
        return unsafe UnsafePointer(masks.start.assumingMemoryBound(to: UInt64.self)) + cell * wordsPerCell
    }
}
