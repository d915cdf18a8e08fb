internal import CSiltKernels

/// Values of which most are 0, as a list of the others with their places: 12 bytes for each.
package struct SparseValues: Sendable {
    private let places: [UInt64]
    private let values: [Float]

    /// The values of `dense` that are not 0.
    package init(_ dense: [Float]) {
        let number = unsafe silt_kept(dense, dense.count, nil, nil)
        var places = [UInt64](repeating: 0, count: number)
        var values = [Float](repeating: 0, count: number)
        unsafe silt_kept(dense, dense.count, &places, &values)
        (self.places, self.values) = (places, values)
    }

    /// How many are not 0.
    package var count: Int { values.count }

    /// The parts of the list that lie in each of `rows` rows of `columns` values.
    package func parts(rows: Int, columns: Int) -> [Range<Int>] {
        var parts: [Range<Int>] = []
        var end = 0
        for row in 0..<rows {
            let start = end
            while end < places.count, places[end] / UInt64(columns) == UInt64(row) { end += 1 }
            parts.append(start..<end)
        }
        return parts
    }

    /// The sum of the products of a part of the list with the values of `dense` at its places, in binary64.
    ///
    /// - Precondition: `dense` has as many values as the list was made of.
    package func dot(_ part: Range<Int>, _ dense: UnsafePointer<Float>) -> Double {
        unsafe withPart(part) { places, values in unsafe silt_kept_dot(values, places, part.count, dense) } ?? 0
    }

    /// Adds a part of the list, divided by `divisor`, to the values of `dense` at its places.
    package func add(_ part: Range<Int>, dividedBy divisor: Float, to dense: UnsafeMutablePointer<Float>) {
        unsafe withPart(part) { places, values in
            unsafe silt_kept_add(values, places, part.count, divisor, dense)
        }
    }

    @discardableResult
    private func withPart<Result>(
        _ part: Range<Int>, _ body: (UnsafePointer<UInt64>, UnsafePointer<Float>) -> Result
    ) -> Result? {
        unsafe places[part].withUnsafeBufferPointer { places in
            unsafe values[part].withUnsafeBufferPointer { values in
                guard let places = places.baseAddress, let values = values.baseAddress else { return nil }
                return unsafe body(places, values)
            }
        }
    }
}
