/// A matrix D (R x K, row-major) whose rows are read a band at a time, so that nobody needs all of it in memory.
@safe package struct RowBands<Failure: Error> {
    /// R.
    package let rows: Int
    /// K.
    package let columns: Int

    private let step: Int
    private let band: (Range<Int>) throws(Failure) -> UnsafePointer<Float>

    /// A matrix that is read.
    ///
    /// - Parameters:
    ///   - step: rows of a band; nil: as many as have 2^18 elements.
    ///   - band: gives all elements of some rows, which need to be there until it is asked again.
    package init(
        rows: Int, columns: Int, step: Int? = nil, band: @escaping (Range<Int>) throws(Failure) -> UnsafePointer<Float>
    ) {
        (self.rows, self.columns) = (rows, columns)
        unsafe self.band = band
        self.step = step ?? max(1, (1 << 18) / max(columns, 1))
    }

    /// A matrix that is in memory, as one band.
    init(whole values: UnsafePointer<Float>, rows: Int, columns: Int) {
        (self.rows, self.columns) = (rows, columns)
        step = max(1, rows)
        unsafe band = { rows in unsafe values + rows.lowerBound * columns }
    }

    /// Reads all bands, in order.
    func forEach(_ body: (_ rows: Range<Int>, _ values: UnsafePointer<Float>) -> Void) throws(Failure) {
        guard columns > 0 else { return }
        for start in stride(from: 0, to: rows, by: step) {
            let range = start..<min(start + step, rows)
            try unsafe body(range, band(range))
        }
    }

    /// All elements.
    func collected() throws(Failure) -> [Float] {
        var values: [Float] = []
        values.reserveCapacity(rows * columns)
        try unsafe forEach { range, start in
            unsafe values.append(contentsOf: UnsafeBufferPointer(start: start, count: range.count * columns))
        }
        return values
    }
}

extension Span<Float> {
    /// Calls `body` with this matrix, which is in memory.
    func withBands<Failure, R>(
        rows: Int, columns: Int, _ body: (RowBands<Failure>) throws(Failure) -> R
    ) throws(Failure) -> R {
        precondition(count == rows * columns)
        // Of no elements there is no pointer, and none is asked for.
        let none: [Float] = [0]
        return try unsafe withUnsafeBufferPointer { (buffer) throws(Failure) -> R in
            try unsafe none.withUnsafeBufferPointer { (none) throws(Failure) -> R in
                guard let start = unsafe buffer.baseAddress ?? none.baseAddress else {
                    preconditionFailure("an array of one element has an address")
                }
                return try unsafe body(RowBands(whole: start, rows: rows, columns: columns))
            }
        }
    }
}
