import DeltaPruning
import TensorTypes
import Testing

@Suite("The largest products of magnitude and input norm")
struct WandaTests {
    /// What a sort keeps of the elements in `range`, by position.
    private func sorted(_ scores: [Double], _ range: Range<Int>, keeping count: Int) -> [Bool] {
        let order = range.filter { scores[$0] != 0 }.sorted { (scores[$1], $0) < (scores[$0], $1) }
        var kept = [Bool](repeating: false, count: range.count)
        for index in order.prefix(count) { kept[index - range.lowerBound] = true }
        return kept
    }

    private func flags(_ mask: Bitset) -> [Bool] { (0..<mask.count).map { mask[$0] } }

    /// Norms with few bits, so that products and their order are exact.
    private func norms(_ columns: Int) -> [Double] { (0..<columns).map { [1, 0.5, 4, 0, 2][$0 % 5] } }

    @Test("are those that a sort finds", arguments: [1, 5, 77, 5_000], [true, false])
    func sorts(columns: Int, hasTies: Bool) {
        let rows = columns > 1_000 ? 70 : 131
        let values =
            hasTies ? Samples.ties(rows * columns, seed: 7) : Samples.uniform(rows * columns, seed: 8)
        let norms = norms(columns)
        let scores = values.enumerated().map { Double($1.magnitude) * norms[$0 % columns] }
        for share in [0, 0.001, 0.1, 0.5, 1] {
            let expected = (0..<rows).flatMap { row in
                sorted(
                    scores, row * columns..<(row + 1) * columns, keeping: Magnitude.quota(share, of: columns))
            }
            #expect(flags(Wanda.top(share: share, ofEachRow: values.span, norms: norms)) == expected, "\(share)")
        }
        for count in [0, 1, values.count / 10, values.count] {
            #expect(
                flags(Wanda.top(count, of: values.span, norms: norms)) == sorted(scores, values.indices, keeping: count)
            )
        }
    }

    @Test("are the largest magnitudes where norms are equal, of whatever size", arguments: [1e-300, 1, 1e300])
    func equalNorms(norm: Double) {
        for scale in [Float(1e-30), 1, 1e37] {
            let values = Samples.uniform(900, seed: 3).map { $0 * scale }
            let norms = [Double](repeating: norm, count: 30)
            #expect(
                Wanda.top(share: 0.2, ofEachRow: values.span, norms: norms)
                    == Magnitude.top(share: 0.2, ofEachRow: values.span, columns: 30))
            #expect(Wanda.top(100, of: values.span, norms: norms) == Magnitude.top(100, of: values.span))
        }
    }

    @Test("never are of inputs that were not seen; a norm that is no number counts as the largest")
    func oddNorms() {
        let values: [Float] = [9, 1, 2, 3, 9, -3, 2, 1]
        let norms: [Double] = [0, 1, .infinity, 2]
        #expect(
            flags(Wanda.top(share: 0.5, ofEachRow: values.span, norms: norms))
                == [false, false, true, true, false, true, true, false])
        #expect(Wanda.top(share: 1, ofEachRow: values.span, norms: norms).population == 6)
        #expect(Wanda.top(share: 1, ofEachRow: values.span, norms: [0, 0, 0, 0]).population == 0)
        // None is a number: all count alike.
        let none = [Double](repeating: .nan, count: 4)
        #expect(
            Wanda.top(share: 0.5, ofEachRow: values.span, norms: none)
                == Magnitude.top(share: 0.5, ofEachRow: values.span, columns: 4))
        #expect(Wanda.top(1, of: [Float]().span, norms: []).count == 0)
    }
}
