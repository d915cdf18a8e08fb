@testable import SiltReports
import Testing

@Suite("Axes")
struct ScaleTests {
    @Test(
        "Ticks of a linear axis are round and inside",
        arguments: [
            (0.0...1.0, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]), (0.0...7.3, 4, [0, 2, 4, 6]),
            (-3.0...3.0, 6, [-3, -2, -1, 0, 1, 2, 3]),
            (0.0012...0.0049, 4, [0.002, 0.003, 0.004]),
            (12_000.0...61_000.0, 5, [20_000, 30_000, 40_000, 50_000, 60_000]),
        ] as [(ClosedRange<Double>, Int, [Double])])
    func linear(_ range: ClosedRange<Double>, _ count: Int, _ expected: [Double]) {
        let found = Ticks.linear(range, count: count).values
        #expect(found.count == expected.count)
        for (a, b) in zip(found, expected) { #expect(abs(a - b) <= 1e-12 * max(1, abs(b))) }
    }

    @Test(
        "Ticks of a logarithmic axis are 1, 2 and 5 where there is room, else powers of ten",
        arguments: [
            (9.0...1_100.0, 9, [10, 20, 50, 100, 200, 500, 1_000]), (0.0005...0.6, 7, [0.001, 0.01, 0.1]),
            (1.0...1e12, 4, [1, 1e3, 1e6, 1e9, 1e12]), (20.0...60.0, 6, [20, 30, 40, 50, 60]),
        ] as [(ClosedRange<Double>, Int, [Double])])
    func logarithmic(_ range: ClosedRange<Double>, _ count: Int, _ expected: [Double]) {
        let found = Ticks.logarithmic(range, count: count)
        #expect(found.count == expected.count, "\(found)")
        for (a, b) in zip(found, expected) { #expect(abs(a - b) <= 1e-12 * b) }
    }

    @Test("Degenerate ranges give an axis all the same")
    func degenerate() {
        for values in [[], [3], [0, 0], [.nan, .infinity], [1e-300, 1e300]] as [[Double]] {
            for scale in [
                Scale.linear(values, from: 0, to: 100), .linear(values, from: 100, to: 0, fromZero: true),
                .logarithmic(values, from: 0, to: 100),
            ] {
                #expect(scale.range.lowerBound < scale.range.upperBound)
                #expect(scale.ticks(5).count < 40)
                for value in values + [-1, 0, .nan] { #expect((0...100).contains(scale(value))) }
            }
        }
    }

    @Test("Values go to their place, those outside to the end")
    func places() {
        let scale = Scale(range: 1...10_000, isLogarithmic: true, start: 0, end: 400)
        #expect(abs(scale(10) - 100) < 1e-6 && abs(scale(1_000) - 300) < 1e-6)
        #expect(scale(0.5) == 0 && scale(1e9) == 400)
    }

    @Test("Labels do not cover each other, nor points")
    func labels() throws {
        let plot = Plot(.wide, height: 400)
        var placer = LabelPlacer(plot)
        placer.reserve(300, 200)
        let firstPlace = placer.place("first", 300, 200)
        let first = try #require(firstPlace)
        let secondPlace = placer.place("second", 300, 200)
        let second = try #require(secondPlace)
        #expect(first.x >= 306 && second != first)
        // The corner leaves no room to the right and below.
        let cornerPlace = placer.place("corner", plot.right - 2, plot.bottom - 2)
        let corner = try #require(cornerPlace)
        #expect(corner.x + LabelPlacer.width("corner") <= plot.right && corner.y <= plot.bottom)
        for _ in 0..<20 { _ = placer.place("crowd", 600, 200) }
        let none = placer.place("crowd", 600, 200)
        #expect(none == nil)
    }
}
