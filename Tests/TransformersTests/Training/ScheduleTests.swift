import CSiltKernels
import Testing
@testable import Transformers

@Suite("Schedule and order of training")
struct ScheduleTests {
    @Test("rates rise to the whole one and fall evenly, never to 0")
    func factors() {
        let schedule = LearningRateSchedule(steps: 10, warmUpShare: 0.25)
        #expect(schedule.warmUp == 3)
        let factors = (1...10).map(schedule.factor)
        #expect(factors[..<3].elementsEqual([1.0 / 3, 2.0 / 3, 1]))
        for (index, factor) in factors[3...].enumerated() { #expect(abs(factor - Double(7 - index) / 8) < 1e-15) }
        let plain = LearningRateSchedule(steps: 4, warmUpShare: 0)
        #expect((1...4).map(plain.factor) == [1, 0.75, 0.5, 0.25])
        let rising = LearningRateSchedule(steps: 4, warmUpShare: 1)
        #expect((1...4).map(rising.factor) == [0.25, 0.5, 0.75, 1])
        #expect(LearningRateSchedule(steps: 1, warmUpShare: 0.06).factor(1) == 1)
    }

    @Test("an epoch has every example once, in an order of its own")
    func order() {
        let order = ExampleOrder(count: 100, seed: 5)
        let (first, second) = (order.examples(epoch: 0), order.examples(epoch: 1))
        #expect(first.sorted() == Array(0..<100) && second.sorted() == Array(0..<100))
        #expect(first != second && first != Array(0..<100))
        #expect(first == ExampleOrder(count: 100, seed: 5).examples(epoch: 0))
        #expect(first != ExampleOrder(count: 100, seed: 6).examples(epoch: 0))
        #expect(ExampleOrder(count: 1, seed: 0).examples(epoch: 3) == [0])
    }

    @Test("places are equally likely")
    func fairness() {
        // Where example 0 goes, over many seeds: each of four places a quarter of the time.
        var counts = [0, 0, 0, 0]
        for seed in 0..<4_000 {
            let order = ExampleOrder(count: 4, seed: UInt64(seed)).examples(epoch: 0)
            if let place = order.firstIndex(of: 0) { counts[place] += 1 }
        }
        #expect(counts.allSatisfy { abs($0 - 1_000) < 120 }, "\(counts)")
    }

    @Test("normal numbers have their moments, and do not depend on where one begins")
    func normals() {
        var values = [Float](repeating: 0, count: 40_001)
        unsafe silt_normal(9, 2, 0, 0.5, &values, values.count)
        let mean = values.reduce(0) { $0 + Double($1) } / Double(values.count)
        let square = values.reduce(0) { $0 + Double($1) * Double($1) } / Double(values.count)
        let fourth = values.reduce(0) { $0 + Double($1 * $1 * $1 * $1) } / Double(values.count)
        #expect(abs(mean) < 0.01 && abs(square - 0.25) < 0.005 && abs(fourth - 3 / 16.0) < 0.01)
        var part = [Float](repeating: 0, count: 10)
        unsafe silt_normal(9, 2, 1_003, 0.5, &part, part.count)
        #expect(part == Array(values[1_003..<1_013]))
        var other = part
        unsafe silt_normal(9, 3, 1_003, 0.5, &other, other.count)
        #expect(other != part)
    }
}
