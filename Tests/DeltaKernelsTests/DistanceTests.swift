import DeltaKernels
import TensorTypes
import TestSupport
import Testing

@Suite("The sums behind a receipt")
struct DistanceTests {
    private struct Sums {
        var error = 0.0, delta = 0.0, change = 0.0, product = 0.0, maximum = 0.0
        var elements = 0, changed = 0, lost = 0
    }

    /// As the text of section 12.7 has it, element by element.
    private func expected(_ result: [Float], _ fineTuned: [Float], _ base: [Float]) -> Sums {
        var sums = Sums()
        for ((y, x), b) in zip(zip(result, fineTuned), base) where x.isFinite && b.isFinite {
            guard y.isFinite else {
                sums.lost += 1
                continue
            }
            sums.elements += 1
            if y.bitPattern != x.bitPattern { sums.changed += 1 }
            let (e, d, c) = (Double(y) - Double(x), Double(x) - Double(b), Double(y) - Double(b))
            sums.error += e * e
            sums.delta += d * d
            sums.change += c * c
            sums.product += c * d
            sums.maximum = max(sums.maximum, abs(e))
        }
        return sums
    }

    private func check(_ result: [Float], _ fineTuned: [Float], _ base: [Float]) {
        let sums = expected(result, fineTuned, base)
        let found = KernelLevel.available.map { level in
            unsafe Distance(result: result, fineTuned: fineTuned, base: base, count: result.count, level: level)
        }
        #expect(Set(found).count == 1, "all levels give the same bits")
        guard let first = found.first else { return }
        #expect(first.elements == sums.elements && first.changed == sums.changed && first.lost == sums.lost)
        #expect(first.maximum == sums.maximum)
        // Only the order of the additions differs.
        for (sum, wanted, scale) in [
            (first.error, sums.error, sums.error), (first.delta, sums.delta, sums.delta),
            (first.change, sums.change, sums.change),
            (first.product, sums.product, (sums.change * sums.delta).squareRoot()),
        ] {
            #expect(abs(sum - wanted) <= 1e-12 * scale)
        }
    }

    @Test("of any number of elements", arguments: Array(0..<40) + [1_000, 4_099])
    func sums(count: Int) {
        var generator = SeededGenerator(seed: UInt64(count))
        func values() -> [Float] { (0..<count).map { _ in Float(generator.below(2_001)) / 1_000 - 1 } }
        let base = values()
        let fineTuned = zip(base, values()).map { $0 + 0.01 * $1 }
        check(zip(fineTuned, values()).map { $1 > 0 ? $0 : $0 + 0.001 * $1 }, fineTuned, base)
    }

    @Test("leave out what is not finite, wherever it is")
    func finite() {
        for count in [3, 8, 19] {
            for place in 0..<count {
                for odd in [Float.infinity, -.infinity, .nan, .greatestFiniteMagnitude, -0.0, .leastNonzeroMagnitude] {
                    for which in 0..<3 {
                        var all: [[Float]] = [
                            (0..<count).map { Float($0) + 0.5 }, (0..<count).map { Float($0) },
                            (0..<count).map { Float($0 / 2) },
                        ]
                        all[which][place] = odd
                        check(all[0], all[1], all[2])
                    }
                }
            }
        }
    }
}
