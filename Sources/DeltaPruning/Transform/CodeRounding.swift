internal import COpenBLAS

/// Rounds real codes to integers, where a unit of squared error and a bit have a price.
///
/// Least-cost rounding: m is better than m - 1 if the squared error that it spares is worth a unit's bits. With a metric that is
/// not diagonal, positions are rounded from the last to the first, and each makes up for what the later ones did wrong as
/// far as it can (Babai's nearest plane; GPTQ is the same in another order).
struct CodeRounding {
    /// Which share of the rate-optimal dead zone rounding has; 0 rounds to nearest, below 0 outwards.
    let deadZone: Double

    /// Codes stay below this, where F32 stops to count.
    private static let limit: Float = 16_777_215
    /// No dead zone is wider.
    private static let widest = 0.45
    /// Positions whose errors meet the others' in one product.
    private static let block = 64

    /// The codes of each row of `real`.
    ///
    /// - Parameter gains: a unit of row k weighs gains[k] c^2 of squared error, times the metric's weight of its position.
    func round(_ real: consuming DenseMatrix, gains: [Float], _ metric: ErrorMetric) -> DenseMatrix {
        precondition(real.columns == metric.size && real.rows == gains.count)
        let widths = widths(of: real, gains)
        if case .full(let factor) = metric.form { return feedBack(real, widths, metric.weights, factor) }
        var codes = real
        for row in 0..<codes.rows {
            if case .identity = metric.form {
                let offset = CodeRounding.offset(widths[row], 1)
                for index in codes.range(row) { codes.values[index] = CodeRounding.code(codes.values[index], offset) }
                continue
            }
            for (column, index) in codes.range(row).enumerated() {
                let offset = CodeRounding.offset(widths[row], metric.weights[column])
                codes.values[index] = CodeRounding.code(codes.values[index], offset)
            }
        }
        return codes
    }

    /// The dead zone of each row.
    private func widths(of real: DenseMatrix, _ gains: [Float]) -> [Double] {
        (0..<real.rows).map { row in
            let slope = CodeLength.slope(mean: CodeRounding.mean(real, row))
            return deadZone * TransformCoder.price * slope / (2 * Double(gains[row]))
        }
    }

    /// The mean of the magnitudes of a row, rounded to integers.
    static func mean(_ codes: DenseMatrix, _ row: Int) -> Double {
        var sum = 0
        for index in codes.range(row) { sum += Int(floor(codes.values[index].magnitude + 0.5)) }
        return Double(sum) / Double(max(codes.columns, 1))
    }

    /// The integer below a value that is not negative, at most 2^24 - 1; through an integer, which processors do for many at
    /// once and the C library one by one.
    @inline(__always)
    private static func floor(_ value: Float) -> Int32 {
        // What is no number compares with nothing.
        value < limit ? Int32(value) : Int32(limit)
    }

    private static func offset(_ width: Double, _ weight: Float) -> Float {
        0.5 - Float(min(max(width / Double(weight), -widest), widest))
    }

    private static func code(_ value: Float, _ offset: Float) -> Float {
        let magnitude = Float(floor(value.magnitude + offset))
        return value < 0 ? -magnitude : magnitude
    }

    /// Block by block, from the last: what later blocks owe to a block is one product.
    private func feedBack(
        _ real: DenseMatrix, _ widths: [Double], _ weights: [Float], _ factor: DenseMatrix
    ) -> DenseMatrix {
        BLASThreads.settle()
        let (height, size) = (real.rows, real.columns)
        var codes = real
        var errors = DenseMatrix(rows: height, columns: size)
        unsafe codes.values.withUnsafeMutableBufferPointer { codes in
            unsafe errors.values.withUnsafeMutableBufferPointer { errors in
                unsafe factor.values.withUnsafeBufferPointer { factor in
                    guard let codes = codes.baseAddress, let errors = errors.baseAddress,
                        let factor = factor.baseAddress
                    else { return }
                    for end in stride(from: size, to: 0, by: -CodeRounding.block) {
                        let block = max(0, end - CodeRounding.block)..<end
                        var debts = [Float](repeating: 0, count: height * block.count)
                        if end < size {
                            unsafe cblas_sgemm(
                                CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(height), Int32(block.count),
                                Int32(size - end), 1, errors + end, Int32(size), factor + end * size + block.lowerBound,
                                Int32(size), 0, &debts, Int32(block.count))
                        }
                        for row in 0..<height {
                            let offsets = block.map { CodeRounding.offset(widths[row], weights[$0]) }
                            unsafe debts.withUnsafeMutableBufferPointer { debts in
                                guard let start = debts.baseAddress else { return }
                                unsafe CodeRounding.round(
                                    block, offsets.span, size: size, factor, owed: start + row * block.count,
                                    codes: codes + row * size, errors: errors + row * size)
                            }
                        }
                    }
                }
            }
        }
        return codes
    }

    /// Rounds the positions of a block of one row, and notes their errors.
    ///
    /// - Parameter owed: for each position of the block, the sum over later ones of error times L_ij.
    private static func round(
        _ block: Range<Int>, _ offsets: Span<Float>, size: Int, _ factor: UnsafePointer<Float>,
        owed: UnsafeMutablePointer<Float>, codes: UnsafeMutablePointer<Float>, errors: UnsafeMutablePointer<Float>
    ) {
        let start = block.lowerBound
        for position in block.reversed() {
            let triangle = unsafe factor + position * size
            let value = unsafe codes[position]
            let target = unsafe value + owed[position - start] / triangle[position]
            let rounded = code(target, offsets[position - start])
            unsafe codes[position] = rounded
            unsafe errors[position] = value - rounded
            unsafe cblas_saxpy(Int32(position - start), value - rounded, triangle + start, 1, owed, 1)
        }
    }
}
