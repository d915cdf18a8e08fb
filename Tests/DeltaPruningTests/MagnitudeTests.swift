import DeltaPruning
import TensorTypes
import Testing

@Suite("The largest magnitudes")
struct MagnitudeTests {
    /// What a sort keeps of `values`, by position.
    private func sorted(_ values: [Float], keeping count: Int) -> [Bool] {
        let order = values.indices.filter { values[$0] != 0 }
            .sorted { (values[$1].magnitude, $0) < (values[$0].magnitude, $1) }
        var kept = [Bool](repeating: false, count: values.count)
        for index in order.prefix(count) { kept[index] = true }
        return kept
    }

    private func flags(_ mask: Bitset) -> [Bool] { (0..<mask.count).map { mask[$0] } }

    private static let sizes = [0, 1, 2, 63, 64, 65, 1_000]

    @Test("of a tensor are those that a sort finds", arguments: sizes, [true, false])
    func tensor(size: Int, hasTies: Bool) {
        let values = hasTies ? Samples.ties(size, seed: 5) : Samples.uniform(size, seed: 6)
        for count in [0, 1, size / 7, size / 2, max(size - 1, 0), size, size + 3] {
            #expect(flags(Magnitude.top(count, of: values.span)) == sorted(values, keeping: count))
        }
    }

    @Test("of each row are those that a sort of the row finds", arguments: [1, 5, 64, 77], [true, false])
    func rows(columns: Int, hasTies: Bool) {
        let values = hasTies ? Samples.ties(6 * columns, seed: 7) : Samples.uniform(6 * columns, seed: 8)
        for share in [0, 0.001, 0.1, 0.5, 1] {
            let expected = (0..<6).flatMap { row in
                sorted(
                    Array(values[row * columns..<(row + 1) * columns]),
                    keeping: share == 0 ? 0 : max(1, Int((share * Double(columns)).rounded())))
            }
            #expect(
                flags(Magnitude.top(share: share, ofEachRow: values.span, columns: columns)) == expected, "\(share)")
        }
    }

    @Test("of several tensors are those that a sort of all finds, whoever counts", arguments: [true, false])
    func several(hasTies: Bool) {
        let tensors = [300, 0, 1, 500].enumerated().map { index, size in
            hasTies ? Samples.ties(size, seed: UInt64(index)) : Samples.uniform(size, seed: UInt64(index))
        }
        for count in [0, 1, 80, 400, 801, 2_000] {
            // Two workers, two tensors each.
            var searches = [MagnitudeSearch(keeping: count), MagnitudeSearch(keeping: count)]
            for (index, tensor) in tensors.enumerated() { searches[index % 2].count(tensor.span) }
            searches[0].merge(searches[1])
            searches[0].narrow()
            // Each refines from what both have counted.
            searches[1] = searches[0]
            for (index, tensor) in tensors.enumerated() { searches[index % 2].refine(tensor.span) }
            searches[0].merge(searches[1])
            var threshold = searches[0].threshold()
            let found = tensors.flatMap { flags(threshold.mask($0.span)) }
            #expect(found == sorted(Array(tensors.joined()), keeping: count), "\(count)")
        }
    }

    @Test("are as many as a share says")
    func quota() {
        #expect(Magnitude.quota(0, of: 10) == 0)
        #expect(Magnitude.quota(0.01, of: 10) == 1)
        #expect(Magnitude.quota(0.25, of: 10) == 3)
        #expect(Magnitude.quota(1, of: 10) == 10)
        #expect(Magnitude.quota(1, of: 0) == 0)
    }
}
