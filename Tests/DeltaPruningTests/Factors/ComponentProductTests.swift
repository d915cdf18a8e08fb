import DeltaPruning
import Testing

@Suite("Products of factors, each component with a factor of its own")
struct ComponentProductTests {
    private let rank = 3
    private let rows = 5
    private let columns = 7

    /// Sum over k of left(k, i) right(k, j) / q_k, in binary64.
    private func expected(_ left: [Float], _ right: [Float], _ factors: [Double]) -> [Double] {
        (0..<rows * columns).map { index in
            (0..<rank).reduce(0) { sum, component in
                let product =
                    Double(left[component * rows + index / columns])
                    * Double(right[component * columns + index % columns])
                return sum + product / factors[component]
            }
        }
    }

    @Test("adds every component, divided by its factor")
    func adds() {
        let (left, right) = (Samples.uniform(rank * rows, seed: 1), Samples.uniform(rank * columns, seed: 2))
        let product = ComponentProduct(rank: rank, left: left, rows: rows, right: right, columns: columns)
        let factors = [0.5, 1, 3]
        let before = Samples.uniform(rows * columns, seed: 3)
        var values = before
        unsafe values.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            unsafe product.add(dividedBy: factors, to: start)
        }
        #expect(product.rank == rank)
        for (index, delta) in expected(left, right, factors).enumerated() {
            #expect(abs(Double(values[index]) - Double(before[index]) - delta) < 1e-5)
        }
    }

    @Test("gives the slopes of a loss")
    func slopes() {
        let (left, right) = (Samples.uniform(rank * rows, seed: 4), Samples.uniform(rank * columns, seed: 5))
        let gradient = Samples.uniform(rows * columns, seed: 6)
        let product = ComponentProduct(rank: rank, left: left, rows: rows, right: right, columns: columns)
        let dots = unsafe gradient.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return [Double]() }
            return unsafe product.dots(start)
        }
        // The loss <gradient, D> is linear in 1 / q: its slope is the difference that a whole component makes.
        for component in 0..<rank {
            let only = (0..<rank).map { $0 == component ? 1 : Double.infinity }
            let delta = expected(left, right, only)
            let loss = zip(gradient, delta).reduce(0) { $0 + Double($1.0) * $1.1 }
            #expect(abs(dots[component] - loss) < 1e-5)
        }
    }
}
