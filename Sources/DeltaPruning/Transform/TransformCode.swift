internal import DeltaKernels

/// The stored form of a delta: delta(i, j) = sum over k of left(k, i) * (right(k, j) * scale(k)).
package struct TransformCode: Sendable, Hashable {
    /// R.
    package let rows: Int
    /// K.
    package let columns: Int
    /// r x R, row-major, magnitudes below 2^24; the values of the left factor are these integers themselves.
    package let left: [Int32]
    /// r x K, row-major, magnitudes below 2^24.
    package let right: [Int32]
    /// r scales, one for each row of `right`, above 0 and exact in BF16.
    package let scales: [Float]

    /// r: at least 0.
    package var rank: Int { scales.count }

    init(rows: Int, columns: Int, left: [Int32] = [], right: [Int32] = [], scales: [Float] = []) {
        self.rows = rows
        self.columns = columns
        self.left = left
        self.right = right
        self.scales = scales
    }

    /// The same integers, and each component divided by its rescale factor: scales are rounded to BF16.
    ///
    /// A scale that would leave BF16 stays.
    package func divided(by factors: [Double]) -> TransformCode {
        precondition(factors.count == rank)
        let scales = zip(scales, factors).map { scale, factor in
            let divided = FloatConversion.brain(Float(Double(scale) / factor))
            return divided >= .leastNormalMagnitude && divided.isFinite ? divided : scale
        }
        return TransformCode(rows: rows, columns: columns, left: left, right: right, scales: scales)
    }

    /// About how many bits the integers and scales take; within a few per cent.
    package var estimatedBits: Double {
        var bits = 0.0
        for component in 0..<rank {
            for (codes, width) in [(left, rows), (right, columns)] {
                var sum = 0
                for index in component * width..<(component + 1) * width { sum += Int(codes[index].magnitude) }
                bits += CodeLength.bits(mean: Double(sum) / Double(max(width, 1)), count: width)
            }
            bits += CodeLength.overhead
        }
        return bits
    }

    /// Calls `body` with some rows of the delta that this form stands for, and their elements, row-major; until all were
    /// there.
    ///
    /// Values are those of a reader up to the last bits: sums run in the order of BLAS.
    package func forEachBand(_ body: (_ rows: Range<Int>, _ values: Span<Float>) -> Void) {
        let leftRows = DenseMatrix(rows: rank, columns: rows, values: left.map { Float($0) })
        let rightRows = DenseMatrix(rows: rank, columns: columns, values: right.map { Float($0) }).scaled(scales)
        let step = max(1 << 18 / max(columns, 1), 1)
        for start in stride(from: 0, to: rows, by: step) {
            let band = start..<min(start + step, rows)
            let product = leftRows.transposedTimes(rightRows, range: band)
            body(band, product.values.span)
        }
    }

    /// The squared distance of this form to D (R x K, row-major).
    package func squaredError(to values: Span<Float>) -> Double {
        precondition(values.count == rows * columns)
        var sum = 0.0
        forEachBand { band, product in
            let start = band.lowerBound * columns
            for index in product.indices {
                let difference = Double(values[start + index]) - Double(product[index])
                sum += difference * difference
            }
        }
        return sum
    }
}
