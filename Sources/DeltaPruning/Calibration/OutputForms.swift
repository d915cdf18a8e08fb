/// Products of outputs, row by row: what two matrices A and B make of the same inputs, <Ax, Ax>, <Ax, Bx>, <Bx, Bx>.
struct OutputForms: Sendable {
    var first: [Double]
    var mixed: [Double]
    var second: [Double]

    init(rows: Int) {
        first = [Double](repeating: 0, count: rows)
        mixed = first
        second = first
    }

    mutating func scale(_ factor: Double) {
        for row in first.indices {
            first[row] *= factor
            mixed[row] *= factor
            second[row] *= factor
        }
    }
}
