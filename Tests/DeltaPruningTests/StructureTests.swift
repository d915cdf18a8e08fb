import DeltaPruning
import TensorTypes
import Testing

@Suite("Structured masks")
struct StructureTests {
    private func positions(_ mask: Bitset) -> [Int] { (0..<mask.count).filter { mask[$0] } }

    @Test("keep n of m, the lower index first, and their share of a short group")
    func groups() {
        let values: [Float] = [
            1, -2, 3, 0.5, 7, -7, 0,
            0, 0, 0, 0, 1, 2, -3,
        ]
        #expect(positions(Structure.largest(2, ofEach: 4, values.span, columns: 7)) == [1, 2, 4, 5, 7, 8, 12, 13])
        #expect(Structure.largest(0, ofEach: 4, values.span, columns: 7).population == 0)
        #expect(Structure.largest(4, ofEach: 4, values.span, columns: 7).population == 14)
        #expect(positions(Structure.largest(1, ofEach: 7, values.span, columns: 7)) == [4, 13])
        #expect(Structure.largest(1, ofEach: 4, [Float]().span, columns: 0).count == 0)
    }

    @Test("agree with a sort of each group", arguments: [(1, 4), (2, 4), (3, 8), (5, 16)])
    func sorted(n: Int, m: Int) {
        let (rows, columns) = (9, 48)
        let values = Samples.ties(rows * columns, seed: 3)
        let mask = Structure.largest(n, ofEach: m, values.span, columns: columns)
        for start in stride(from: 0, to: values.count, by: m) {
            let group = (start..<start + m).sorted { (values[$1].magnitude, $0) < (values[$0].magnitude, $1) }
            #expect(group.prefix(n).sorted() == (start..<start + m).filter { mask[$0] })
        }
    }

    @Test("keep columns and rows by their norm")
    func norms() {
        let values: [Float] = [
            1, 0, -3, 0,
            1, 0, 0, 4,
            1, 0, 0, 0,
        ]
        #expect(positions(Structure.columns(share: 0.5, values.span, columns: 4)) == [2, 3])
        #expect(positions(Structure.columns(share: 0.01, values.span, columns: 4)) == [3])
        #expect(positions(Structure.columns(share: 1, values.span, columns: 4)) == [0, 1, 2, 3])
        #expect(positions(Structure.rows(share: 0.7, values.span, columns: 4)) == [0, 1])
        #expect(positions(Structure.rows(share: 0, values.span, columns: 4)) == [])
        let equal = [Float](repeating: 1, count: 12)
        #expect(positions(Structure.columns(share: 0.5, equal.span, columns: 4)) == [0, 1])
    }

    @Test("find the rows that moved")
    func rows() {
        let values: [Float] = [0, -0.0, 0, .leastNonzeroMagnitude, 0, 0, -1, 0]
        #expect(positions(Structure.nonzeroRows(values.span, columns: 2)) == [1, 3])
        #expect(Structure.nonzeroRows([Float]().span, columns: 0).count == 0)
    }
}
