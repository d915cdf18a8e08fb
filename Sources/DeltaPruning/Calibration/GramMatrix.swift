internal import COpenBLAS

/// The sum of x x' over input vectors x.
///
/// Only the upper triangle is kept, packed, in binary64: as many bytes as the whole matrix would take in F32, and sums
/// over millions of vectors do not lose the small correlations. Products are taken in F32 over at most `depth` vectors,
/// `width` rows of the matrix at a time, where an error of 2^-24 is far below that of sampling; a rank-k update (ssyrk)
/// would need another K x K of scratch.
struct GramMatrix: Sendable {
    private let columns: Int
    /// Row j holds columns j to K - 1.
    private var packed: [Double]

    /// Rows of the matrix in a panel.
    private static let width = 64
    /// Vectors in an F32 sum.
    private static let depth = 512
    /// Rows of a delta in a block.
    private static let height = 128

    init(columns: Int) {
        self.columns = columns
        packed = [Double](repeating: 0, count: columns * (columns + 1) / 2)
    }

    /// Bytes of the matrix and of the scratch of `add`.
    static func bytes(columns: Int) -> Int { 4 * columns * (columns + 1) + 4 * width * columns }

    /// Where row `row` begins, at its diagonal.
    private func start(_ row: Int) -> Int { row * (2 * columns - row + 1) / 2 }

    /// Element (`row`, `column`), with `row` at most `column`.
    subscript(row: Int, column: Int) -> Double { packed[start(row) + column - row] }

    mutating func add(_ other: GramMatrix) {
        for index in packed.indices { packed[index] += other.packed[index] }
    }

    /// Adds `rows` vectors.
    mutating func add(_ input: UnsafePointer<Float>, rows: Int) {
        BLASThreads.settle()
        var scratch = [Float](repeating: 0, count: GramMatrix.width * columns)
        for first in stride(from: 0, to: rows, by: GramMatrix.depth) {
            let vectors = unsafe input + first * columns
            let depth = min(GramMatrix.depth, rows - first)
            for top in stride(from: 0, to: columns, by: GramMatrix.width) {
                let (height, width) = (min(GramMatrix.width, columns - top), columns - top)
                unsafe cblas_sgemm(
                    CblasRowMajor, CblasTrans, CblasNoTrans, Int32(height), Int32(width), Int32(depth), 1,
                    vectors + top, Int32(columns), vectors + top, Int32(columns), 0, &scratch, Int32(width))
                for row in 0..<height {
                    let target = start(top + row) - row
                    for column in row..<width { packed[target + column] += Double(scratch[row * width + column]) }
                }
            }
        }
    }

    /// Adds a G a' for every row a of a matrix to `forms.first`.
    func addForms(_ values: Span<Float>, rows: Int, diagonal: [Double], to forms: inout OutputForms) {
        unsafe addForms(values, nil, rows: rows, diagonal: diagonal, to: &forms)
    }

    /// Adds a G a', a G b' and b G b' for rows a and b of two matrices.
    func addForms(
        _ one: Span<Float>, _ two: Span<Float>, rows: Int, diagonal: [Double], to forms: inout OutputForms
    ) {
        unsafe two.withUnsafeBufferPointer { two in
            unsafe addForms(one, two.baseAddress, rows: rows, diagonal: diagonal, to: &forms)
        }
    }

    /// The forms, over the triangle U with half the diagonal: a G b' = a U b' + b U a'.
    ///
    /// - Parameter diagonal: the squares that were summed in binary64, in place of those of the F32 products.
    private func addForms(
        _ one: Span<Float>, _ two: UnsafePointer<Float>?, rows: Int, diagonal: [Double], to forms: inout OutputForms
    ) {
        BLASThreads.settle()
        let size = GramMatrix.height * columns
        var panel = [Double](repeating: 0, count: size)
        var product = panel
        var left = panel
        var right = unsafe two == nil ? [] : panel
        for first in stride(from: 0, to: rows, by: GramMatrix.height) {
            let height = min(GramMatrix.height, rows - first)
            for index in 0..<height * columns { left[index] = Double(one[first * columns + index]) }
            if let two = unsafe two {
                for index in 0..<height * columns { right[index] = unsafe Double(two[first * columns + index]) }
            }
            for top in stride(from: 0, to: columns, by: GramMatrix.height) {
                expand(top, diagonal: diagonal, into: &panel)
                multiply(left, panel, top: top, height: height, into: &product)
                for row in 0..<height {
                    forms.first[first + row] += 2 * dot(product, left, row: row, top: top)
                    if unsafe two != nil { forms.mixed[first + row] += dot(product, right, row: row, top: top) }
                }
                guard unsafe two != nil else { continue }
                multiply(right, panel, top: top, height: height, into: &product)
                for row in 0..<height {
                    forms.mixed[first + row] += dot(product, left, row: row, top: top)
                    forms.second[first + row] += 2 * dot(product, right, row: row, top: top)
                }
            }
        }
    }

    /// Rows `top` and on of U, from column `top`; zeros to the left of the diagonal.
    private func expand(_ top: Int, diagonal: [Double], into panel: inout [Double]) {
        let width = columns - top
        for row in 0..<min(GramMatrix.height, width) {
            let (target, source) = (row * width, start(top + row) - row)
            for column in 0..<row { panel[target + column] = 0 }
            panel[target + row] = diagonal[top + row] / 2
            for column in row + 1..<max(width, row + 1) { panel[target + column] = packed[source + column] }
        }
    }

    /// Columns `top` and on of a block, as many as the panel has rows, times the panel.
    private func multiply(
        _ block: [Double], _ panel: [Double], top: Int, height: Int, into product: inout [Double]
    ) {
        let width = Int32(columns - top)
        let inner = min(Int32(GramMatrix.height), width)
        unsafe block.withUnsafeBufferPointer { block in
            guard let start = block.baseAddress else { return }
            unsafe cblas_dgemm(
                CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(height), width, inner, 1, start + top,
                Int32(columns), panel, width, 0, &product, width)
        }
    }

    /// Row `row` of a product times the same row of a block, from column `top`.
    private func dot(_ product: [Double], _ block: [Double], row: Int, top: Int) -> Double {
        unsafe product.withUnsafeBufferPointer { product in
            unsafe block.withUnsafeBufferPointer { block in
                guard let product = product.baseAddress, let block = block.baseAddress else { return 0 }
                let width = columns - top
                return unsafe cblas_ddot(Int32(width), product + row * width, 1, block + row * columns + top, 1)
            }
        }
    }
}
