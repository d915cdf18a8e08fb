import DeltaPruning
import Testing

@Suite("Statistics of a layer's inputs")
struct InputStatisticsTests {
    @Test("are those of all batches", arguments: [1, 3, 64, 130], [1, 7, 700])
    func moments(columns: Int, rows: Int) {
        let samples = CalibrationSamples(rows: rows, columns: columns)
        for batch in [rows, 100, 1] where batch < 100 || rows >= batch {
            let statistics = samples.statistics(batch: batch)
            #expect(statistics.count == rows && statistics.hasGram && statistics.isFinite)
            for column in stride(from: 0, to: columns, by: 9) {
                #expect(isClose(statistics.means[column], samples.mean(column), 1e-9))
                let square = samples.moment(column, column)
                #expect(isClose(statistics.meanSquares[column], square, 1e-9))
                #expect(isClose(statistics.norms[column], square.squareRoot(), 1e-9))
                #expect(statistics.moment(column, column) == statistics.meanSquares[column])
                for other in stride(from: 0, to: columns, by: 11) {
                    let found = statistics.moment(column, other) ?? .nan
                    #expect((found - samples.moment(column, other)).magnitude < 1e-5 * (1 + found.magnitude))
                    #expect(statistics.moment(other, column) == found)
                }
            }
        }
    }

    @Test("merge, the same bits each time, to those of all batches")
    func merging() {
        let samples = CalibrationSamples(rows: 300, columns: 70)
        let merged = (0..<2).map { _ in
            var one = InputStatistics(columns: 70, gramLimit: 70)
            var other = one
            samples.add(0..<120, to: &one)
            samples.add(120..<300, to: &other)
            one.add(other)
            return one
        }
        let whole = samples.statistics()
        #expect(merged[0].count == 300)
        for row in 0..<70 {
            #expect(merged[0].means[row] == merged[1].means[row])
            #expect(isClose(merged[0].means[row], whole.means[row], 1e-9))
            for column in row..<70 {
                #expect(merged[0].moment(row, column) == merged[1].moment(row, column))
                #expect(
                    ((merged[0].moment(row, column) ?? .nan) - (whole.moment(row, column) ?? .nan)).magnitude < 1e-5)
            }
        }
    }

    @Test("lose no small part of a long sum")
    func longSums() {
        // F32 could not add a 1 to 2^24; the mean square of 2^14 vectors of 64 is 4096, and one more is not lost.
        var statistics = InputStatistics(columns: 2, gramLimit: 2)
        let block = [Float](repeating: 64, count: 2 * 512)
        let one: [Float] = [1, 1]
        for _ in 0..<32 {
            unsafe block.withUnsafeBufferPointer { block in
                guard let start = block.baseAddress else { return }
                unsafe statistics.add(start, rows: 512, columns: 2)
            }
            unsafe one.withUnsafeBufferPointer { one in
                guard let start = one.baseAddress else { return }
                unsafe statistics.add(start, rows: 1, columns: 2)
            }
        }
        let sum = (statistics.moment(0, 1) ?? .nan) * Double(statistics.count)
        #expect(sum.rounded() == 32 * (512 * 4_096 + 1))
    }

    @Test("have a Gram matrix only where there is room, and keep it only if both have one")
    func limits() {
        #expect(!InputStatistics(columns: 11, gramLimit: 10).hasGram)
        #expect(InputStatistics(columns: 10, gramLimit: 10).hasGram)
        #expect(!InputStatistics(columns: 40_000, gramLimit: .max).hasGram)
        #expect(InputStatistics(columns: 11, gramLimit: 10).moment(0, 0) == nil)
        #expect(InputStatistics.bytes(columns: 11, gramLimit: 10) == 176)
        let large = InputStatistics.bytes(columns: 1_000, gramLimit: 1_000)
        #expect(4_000_000..<4_300_000 ~= large)
        #expect(InputStatistics.bytes(columns: .max, gramLimit: 10) == .max)
        var one = InputStatistics(columns: 10, gramLimit: 10)
        one.add(InputStatistics(columns: 10, gramLimit: 10))
        #expect(one.hasGram && one.count == 0 && one.means == [Double](repeating: 0, count: 10))
        one.add(InputStatistics(columns: 10, gramLimit: 0))
        #expect(!one.hasGram)
    }

    @Test("say when inputs are not finite", arguments: [Float.nan, .infinity, -.infinity])
    func notFinite(value: Float) {
        var statistics = InputStatistics(columns: 2, gramLimit: 2)
        let batch = [1, value]
        unsafe batch.withUnsafeBufferPointer { batch in
            guard let start = batch.baseAddress else { return }
            unsafe statistics.add(start, rows: 1, columns: 2)
        }
        #expect(!statistics.isFinite)
    }
}

@Suite("Bias correction")
struct BiasCorrectionTests {
    @Test("makes mean outputs what they were")
    func mean() {
        let samples = CalibrationSamples(rows: 200, columns: 33)
        let delta = Samples.uniform(5 * 33, seed: 4)
        let rebuilt = delta.enumerated().map { $0 % 3 == 0 ? 2.5 * $1 : 0 }
        let correction = BiasCorrection.correction(
            delta: delta.span, rebuilt: rebuilt.span, rows: 5, means: samples.statistics().means)
        let (wanted, found) = (samples.outputs(delta), samples.outputs(rebuilt))
        for row in 0..<5 {
            var difference = 0.0
            for vector in 0..<200 { difference += wanted[vector * 5 + row] - found[vector * 5 + row] }
            #expect(isClose(Double(correction[row]), difference / 200, 1e-6))
            #expect(correction[row] != 0)
        }
        let none = BiasCorrection.correction(
            delta: delta.span, rebuilt: delta.span, rows: 5, means: samples.statistics().means)
        #expect(none == [0, 0, 0, 0, 0])
    }
}
