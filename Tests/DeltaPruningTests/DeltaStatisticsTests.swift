import DeltaPruning
import Testing

@Suite("Statistics of a delta")
struct DeltaStatisticsTests {
    private func isClose(_ one: Double, _ other: Double) -> Bool { abs(one - other) <= 1e-10 * max(1, abs(other)) }

    @Test("are those of the definitions, however it is cut", arguments: [[997], [1, 0, 996], [500, 400, 97]])
    func naive(sizes: [Int]) {
        let values = Samples.uniform(900, seed: 1).map { 3 + $0 * $0 * $0 } + Samples.ties(97, seed: 2)
        let count = Double(values.count)
        let mean = values.reduce(0) { $0 + Double($1) } / count
        func moment(_ power: Int) -> Double {
            values.reduce(0) { sum, value in
                sum + (0..<power).reduce(1) { product, _ in product * (Double(value) - mean) }
            }
                / count
        }
        var statistics = DeltaStatistics()
        var start = 0
        for size in sizes {
            statistics.add(DeltaStatistics(Array(values[start..<start + size]).span))
            start += size
        }
        #expect(statistics.count == values.count)
        #expect(statistics.zeros == values.count { $0 == 0 })
        #expect(statistics.largest == values.map(\.magnitude).max())
        #expect(isClose(statistics.mean, mean))
        #expect(isClose(statistics.deviation, moment(2).squareRoot()))
        #expect(isClose(statistics.excessKurtosis, moment(4) / (moment(2) * moment(2)) - 3))
        #expect(isClose(statistics.zeroShare, Double(statistics.zeros) / count))
    }

    @Test("of nothing, and of equal elements")
    func degenerate() {
        let nothing = DeltaStatistics([Float]().span)
        #expect(nothing == DeltaStatistics())
        #expect(nothing.deviation == 0 && nothing.zeroShare == 0 && nothing.excessKurtosis == 0)
        let equal = DeltaStatistics([Float](repeating: 0, count: 5).span)
        #expect(equal.zeroShare == 1 && equal.deviation == 0 && equal.excessKurtosis == 0)
    }
}
